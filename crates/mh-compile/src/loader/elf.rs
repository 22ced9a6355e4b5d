//! What a relocatable ELF object holds, read with every offset checked.
//!
//! Read here rather than by a library: four records of fixed size are all that is needed, and what must be refused (thread-local
//! data, constructors, common symbols, ...) would have to be checked beside a library just the same.

/// Kinds of relocations, as the x86-64 supplement of the System V ABI numbers them.
pub(super) mod kind {
    pub const NONE: u32 = 0;
    pub const ADDRESS_64: u32 = 1;
    pub const RELATIVE_32: u32 = 2;
    pub const CALL_32: u32 = 4;
    pub const TABLE_32: u32 = 9;
    pub const ADDRESS_32: u32 = 10;
    pub const ADDRESS_32_SIGNED: u32 = 11;
    pub const RELATIVE_64: u32 = 24;
    pub const TABLE_32_CALL: u32 = 41;
    pub const TABLE_32_REX: u32 = 42;
}

const HEADER: usize = 64;
const SECTION: usize = 64;
const SYMBOL: usize = 24;
const RELOCATION: usize = 24;

const PROGBITS: u32 = 1;
const SYMTAB: u32 = 2;
const RELA: u32 = 4;
const NOTE: u32 = 7;
const NOBITS: u32 = 8;
const REL: u32 = 9;
const UNWIND: u32 = 0x7000_0001;

const WRITE: u64 = 1;
const ALLOC: u64 = 2;
const EXECUTE: u64 = 4;
const COMPRESSED: u64 = 0x800;
const THREAD_LOCAL: u64 = 0x400;

pub(super) struct Object<'a> {
    pub sections: Vec<Section<'a>>,
    symbols: &'a [u8],
    names: &'a [u8],
}

pub(super) struct Section<'a> {
    pub name: &'a str,
    kind: u32,
    flags: u64,
    /// None where it is all zeros.
    pub bytes: Option<&'a [u8]>,
    pub size: usize,
    /// A power of two, at most a page.
    pub align: usize,
    link: usize,
    info: usize,
}

#[derive(Clone, Copy)]
pub(super) struct Symbol {
    name: usize,
    info: u8,
    pub section: usize,
    pub value: u64,
}

#[derive(Clone, Copy)]
pub(super) struct Relocation {
    pub offset: usize,
    pub symbol: usize,
    pub kind: u32,
    pub addend: i64,
}

impl<'a> Object<'a> {
    pub fn read(bytes: &'a [u8]) -> Result<Object<'a>, String> {
        let header = part(bytes, 0, HEADER)?;
        // 64 bits, little-endian, version 1; relocatable, x86-64.
        if header[..7] != [0x7f, b'E', b'L', b'F', 2, 1, 1] || header[16..20] != [1, 0, 62, 0] {
            return Err("not a relocatable object for x86-64".to_owned());
        }
        let start = number(header, 40)?;
        let (size, count, names) = (short(header, 58)?, short(header, 60)?, short(header, 62)?);
        if size != SECTION || count == 0 {
            return Err("the object's table of sections is damaged".to_owned());
        }
        let table = part(bytes, start, count * SECTION)?;
        let headers: Vec<&[u8]> = table.chunks_exact(SECTION).collect();
        let texts =
            contents(bytes, headers.get(names).ok_or("the object's names are missing")?)?.unwrap_or_default();
        let sections = headers
            .iter()
            .map(|header| Section::read(bytes, header, texts))
            .collect::<Result<Vec<_>, String>>()?;
        let (mut symbols, mut names): (&[u8], &[u8]) = (&[], &[]);
        for section in &sections {
            if section.kind == SYMTAB {
                symbols = section.bytes.unwrap_or_default();
                names = sections
                    .get(section.link)
                    .and_then(|names| names.bytes)
                    .ok_or("the symbols' names are missing")?;
            }
        }
        Ok(Object { sections, symbols, names })
    }

    pub fn symbols(&self) -> usize {
        self.symbols.len() / SYMBOL
    }

    pub fn symbol(&self, index: usize) -> Result<Symbol, String> {
        let bytes = part(self.symbols, index.saturating_mul(SYMBOL), SYMBOL)?;
        let symbol = Symbol {
            name: word(bytes, 0)?,
            info: bytes[4],
            section: short(bytes, 6)?,
            value: long(bytes, 8)?,
        };
        // Reserved numbers: absolute, common, more than fit.
        if symbol.section >= 0xff00 && symbol.section != 0xfff1 {
            return Err("a symbol is of a kind that is not known".to_owned());
        }
        Ok(symbol)
    }

    pub fn name(&self, symbol: Symbol) -> Result<&'a str, String> {
        text(self.names, symbol.name)
    }

    /// All relocations, each with the number of the section that it changes.
    pub fn relocations(&self) -> impl Iterator<Item = (usize, Result<Relocation, String>)> {
        self.sections.iter().filter(|section| section.kind == RELA).flat_map(|section| {
            section
                .bytes
                .unwrap_or_default()
                .chunks(RELOCATION)
                .map(|bytes| (section.info, Relocation::read(bytes)))
        })
    }
}

impl<'a> Section<'a> {
    fn read(object: &'a [u8], header: &'a [u8], names: &'a [u8]) -> Result<Section<'a>, String> {
        let kind = u32::try_from(word(header, 4)?).map_err(|error| error.to_string())?;
        let align = number(header, 48)?.max(1);
        if !align.is_power_of_two() || align > super::PAGE {
            return Err("a section's alignment is damaged".to_owned());
        }
        let section = Section {
            name: text(names, word(header, 0)?)?,
            kind,
            flags: long(header, 8)?,
            bytes: contents(object, header)?,
            size: number(header, 32)?,
            align,
            link: word(header, 40)?,
            info: word(header, 44)?,
        };
        if kind == REL {
            return Err("relocations without addends are not known".to_owned());
        }
        Ok(section)
    }

    /// Whether it is loaded. Tables for unwinding and notes are not: kernels do not unwind.
    pub fn wanted(&self) -> Result<bool, String> {
        if self.flags & ALLOC == 0 || matches!(self.kind, NOTE | UNWIND) || self.name == ".eh_frame" {
            return Ok(false);
        }
        let runs_by_itself =
            [".ctors", ".dtors", ".init", ".fini", ".preinit"].iter().any(|name| self.name.starts_with(name));
        if runs_by_itself
            || self.flags & (THREAD_LOCAL | COMPRESSED) != 0
            || !matches!(self.kind, PROGBITS | NOBITS)
        {
            return Err(format!("section {:?} is of a kind that kernels do not have", self.name));
        }
        Ok(true)
    }

    pub fn code(&self) -> bool {
        self.flags & EXECUTE != 0
    }

    pub fn written(&self) -> bool {
        self.flags & WRITE != 0
    }
}

impl Symbol {
    pub fn undefined(self) -> bool {
        self.section == 0
    }

    /// A function that other objects see.
    pub fn global_function(self) -> bool {
        self.info == 0x12
    }
}

impl Relocation {
    fn read(bytes: &[u8]) -> Result<Relocation, String> {
        Ok(Relocation {
            offset: number(bytes, 0)?,
            kind: u32::try_from(word(bytes, 8)?).map_err(|error| error.to_string())?,
            symbol: word(bytes, 12)?,
            addend: i64::from_le_bytes(fixed(bytes, 16)?),
        })
    }

    /// Reaches its symbol through the global offset table.
    pub fn through_table(&self) -> bool {
        matches!(self.kind, kind::TABLE_32 | kind::TABLE_32_CALL | kind::TABLE_32_REX)
    }
}

/// A section's bytes, where it has any in the file.
fn contents<'a>(object: &'a [u8], header: &[u8]) -> Result<Option<&'a [u8]>, String> {
    // The first section is none; its size may mean something else.
    if matches!(word(header, 4)?, 0 | 8) {
        return Ok(None);
    }
    part(object, number(header, 24)?, number(header, 32)?).map(Some)
}

fn part(bytes: &[u8], start: usize, length: usize) -> Result<&[u8], String> {
    let end = start.checked_add(length).ok_or("the object is damaged")?;
    bytes.get(start..end).ok_or_else(|| "the object is cut short".to_owned())
}

fn text(names: &[u8], start: usize) -> Result<&str, String> {
    let rest = names.get(start..).ok_or("a name is missing")?;
    let end = rest.iter().position(|&byte| byte == 0).ok_or("a name does not end")?;
    std::str::from_utf8(&rest[..end]).map_err(|_| "a name is damaged".to_owned())
}

fn fixed<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], String> {
    part(bytes, at, N)?.try_into().map_err(|_| "the object is damaged".to_owned())
}

fn short(bytes: &[u8], at: usize) -> Result<usize, String> {
    Ok(usize::from(u16::from_le_bytes(fixed(bytes, at)?)))
}

fn word(bytes: &[u8], at: usize) -> Result<usize, String> {
    Ok(u32::from_le_bytes(fixed(bytes, at)?) as usize)
}

fn long(bytes: &[u8], at: usize) -> Result<u64, String> {
    Ok(u64::from_le_bytes(fixed(bytes, at)?))
}

fn number(bytes: &[u8], at: usize) -> Result<usize, String> {
    usize::try_from(long(bytes, at)?).map_err(|_| "the object is damaged".to_owned())
}
