//! Object to code: loads relocatable ELF objects for x86-64, as LLVM emits them, into memory of their own.
//!
//! An object may come from a file that was damaged, so nothing in it is believed: each offset, size and number is checked,
//! and what is not understood is an error. What loads is only as good as its maker, though: running it is the caller's risk.
//!
//! One mapping holds it all: code and the stubs for calls out of it, then what is only read and the global offset table, then
//! what is written. Everything is written first and protected then, so no page is ever both writable and executable.

#![expect(unsafe_code, reason = "maps memory, and makes it executable")]

mod elf;
mod symbols;

use std::collections::BTreeMap;
use std::ptr::NonNull;

use elf::{Object, Relocation, Section, Symbol};

const PAGE: usize = 4096;
/// `jmp [rip]` and the address behind it, padded.
const STUB: usize = 16;
/// No object of ours comes near; a damaged one might ask for the whole address space.
const LARGEST: usize = 1 << 28;

/// Loaded code, unmapped when dropped.
#[derive(Debug)]
pub struct Code {
    mapping: Mapping,
    /// Functions that other objects may call, by name: offsets in the mapping.
    functions: Vec<(String, usize)>,
}

impl Code {
    /// # Errors
    ///
    /// Where the object is damaged, of another machine, needs what is not on the list of allowed functions, or where there is
    /// no memory.
    pub fn load(object: &[u8]) -> Result<Code, String> {
        let object = Object::read(object)?;
        let plan = Plan::new(&object)?;
        let mut mapping = Mapping::new(plan.end)?;
        let base = mapping.base.as_ptr() as u64;
        let image = mapping.bytes();
        plan.copy(&object, image)?;
        plan.relocate(&object, base, image)?;
        mapping.protect(plan.code_end, plan.read_end)?;
        let functions = plan.functions(&object)?;
        Ok(Code { mapping, functions })
    }

    /// Address of a function that the object defines for others.
    #[must_use]
    pub fn symbol(&self, name: &str) -> Option<NonNull<u8>> {
        let &(_, offset) = self.functions.iter().find(|(known, _)| known == name)?;
        // SAFETY: `Plan::functions` gives offsets inside of the mapping only.
        Some(unsafe { self.mapping.base.add(offset) })
    }
}

/// Where everything goes: offsets in the mapping.
struct Plan {
    /// For each section, by its number: where it goes, or `None` where it is not loaded.
    places: Vec<Option<usize>>,
    /// For symbols, by their numbers: stubs of undefined ones, slots of the offset table.
    stubs: BTreeMap<usize, usize>,
    slots: BTreeMap<usize, usize>,
    code_end: usize,
    read_end: usize,
    end: usize,
}

/// The parts of the mapping, in their order.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Code,
    Read,
    Write,
}

impl Plan {
    fn new(object: &Object) -> Result<Plan, String> {
        let parts = object.sections.iter().map(part).collect::<Result<Vec<_>, _>>()?;
        let (mut stubs, mut slots) = (BTreeMap::new(), BTreeMap::new());
        for (section, relocation) in object.relocations() {
            let relocation = relocation?;
            let symbol = relocation.symbol;
            if parts.get(section).copied().flatten().is_none() {
                continue;
            }
            if object.symbol(symbol)?.undefined() {
                stubs.insert(symbol, 0);
            }
            if relocation.through_table() {
                slots.insert(symbol, 0);
            }
        }
        let mut places = vec![None; parts.len()];
        let mut end = 0;
        let mut take = |size: usize, align: usize| -> Result<usize, String> {
            let start = end + (align - end % align) % align;
            end = start.checked_add(size).filter(|&end| end <= LARGEST).ok_or("the object is too large")?;
            Ok(start)
        };
        let mut ends = [0; 3];
        for (part, part_end) in [Part::Code, Part::Read, Part::Write].into_iter().zip(&mut ends) {
            for (number, section) in object.sections.iter().enumerate() {
                if parts[number] == Some(part) {
                    places[number] = Some(take(section.size, section.align)?);
                }
            }
            let (table, each) = match part {
                Part::Code => (&mut stubs, STUB),
                Part::Read => (&mut slots, 8),
                Part::Write => (&mut BTreeMap::new(), 1),
            };
            for place in table.values_mut() {
                *place = take(each, each)?;
            }
            *part_end = take(0, PAGE)?;
        }
        Ok(Plan { places, stubs, slots, code_end: ends[0], read_end: ends[1], end: ends[2].max(PAGE) })
    }

    fn copy(&self, object: &Object, image: &mut [u8]) -> Result<(), String> {
        for (section, place) in object.sections.iter().zip(&self.places) {
            if let (Some(place), Some(bytes)) = (place, section.bytes) {
                write(image, *place, bytes)?;
            }
        }
        for (&symbol, &place) in &self.stubs {
            let address = outside(object, object.symbol(symbol)?)?;
            write(image, place, &[0xff, 0x25, 0, 0, 0, 0])?;
            write(image, place + 6, &address.to_le_bytes())?;
        }
        Ok(())
    }

    fn relocate(&self, object: &Object, base: u64, image: &mut [u8]) -> Result<(), String> {
        for (&symbol, &place) in &self.slots {
            write(image, place, &self.address(object, symbol, base)?.to_le_bytes())?;
        }
        for (section, relocation) in object.relocations() {
            let relocation = relocation?;
            let Some(&Some(place)) = self.places.get(section) else { continue };
            self.apply(object, &object.sections[section], place, &relocation, base, image)?;
        }
        Ok(())
    }

    fn apply(
        &self,
        object: &Object,
        section: &Section,
        place: usize,
        relocation: &Relocation,
        base: u64,
        image: &mut [u8],
    ) -> Result<(), String> {
        use elf::kind;
        if relocation.kind == kind::NONE {
            return Ok(());
        }
        let width = if matches!(relocation.kind, kind::ADDRESS_64 | kind::RELATIVE_64) { 8 } else { 4 };
        let inside = relocation.offset.checked_add(width).is_some_and(|end| end <= section.size);
        if !inside || section.bytes.is_none() {
            return Err("a relocation lies outside of its section".to_owned());
        }
        let at = place + relocation.offset;
        let here = base.wrapping_add(at as u64);
        let near = |target: u64| target.wrapping_add_signed(relocation.addend).wrapping_sub(here);
        let symbol = relocation.symbol;
        let value = match relocation.kind {
            kind::ADDRESS_64 | kind::ADDRESS_32 | kind::ADDRESS_32_SIGNED => {
                self.address(object, symbol, base)?.wrapping_add_signed(relocation.addend)
            }
            kind::RELATIVE_64 => near(self.address(object, symbol, base)?),
            kind::RELATIVE_32 | kind::CALL_32 => match self.stubs.get(&symbol) {
                Some(&stub) => near(base + stub as u64),
                None => near(self.address(object, symbol, base)?),
            },
            kind::TABLE_32 | kind::TABLE_32_CALL | kind::TABLE_32_REX => {
                near(base + *self.slots.get(&symbol).ok_or("a slot is missing")? as u64)
            }
            other => return Err(format!("relocations of kind {other} are not known")),
        };
        if width == 8 {
            return write(image, at, &value.to_le_bytes());
        }
        let fits = if relocation.kind == kind::ADDRESS_32 {
            u32::try_from(value).is_ok()
        } else {
            i32::try_from(value as i64).is_ok()
        };
        if !fits {
            return Err("a relocation reaches too far".to_owned());
        }
        write(image, at, &value.to_le_bytes()[..4])
    }

    /// Where a symbol is, in memory.
    fn address(&self, object: &Object, number: usize, base: u64) -> Result<u64, String> {
        let symbol = object.symbol(number)?;
        if symbol.undefined() {
            return outside(object, symbol);
        }
        let place = self.places.get(symbol.section).copied().flatten();
        let place = place.ok_or("a symbol lies in a section that is not loaded")?;
        // One past the end is what the end of a table looks like.
        if symbol.value > object.sections[symbol.section].size as u64 {
            return Err("a symbol lies outside of its section".to_owned());
        }
        Ok(base + place as u64 + symbol.value)
    }

    fn functions(&self, object: &Object) -> Result<Vec<(String, usize)>, String> {
        let mut functions = Vec::new();
        for number in 0..object.symbols() {
            let symbol = object.symbol(number)?;
            let Some(&Some(place)) = self.places.get(symbol.section) else { continue };
            let section = &object.sections[symbol.section];
            if symbol.undefined()
                || !symbol.global_function()
                || !section.code()
                || symbol.value >= section.size as u64
            {
                continue;
            }
            let offset = place + usize::try_from(symbol.value).map_err(|error| error.to_string())?;
            functions.push((object.name(symbol)?.to_owned(), offset));
        }
        Ok(functions)
    }
}

/// Which part a section belongs to; none where it is not for memory.
fn part(section: &Section) -> Result<Option<Part>, String> {
    if !section.wanted()? {
        return Ok(None);
    }
    Ok(Some(match (section.code(), section.written()) {
        (true, true) => return Err("a section is both written and run".to_owned()),
        (true, false) => Part::Code,
        // Written by the loader alone.
        (false, true) if section.name.starts_with(".data.rel.ro") => Part::Read,
        (false, true) => Part::Write,
        (false, false) => Part::Read,
    }))
}

/// Address of a function outside of the object, from the list of allowed ones.
fn outside(object: &Object, symbol: Symbol) -> Result<u64, String> {
    let name = object.name(symbol)?;
    symbols::address(name).ok_or_else(|| format!("the object calls {name:?}, which kernels may not call"))
}

fn write(image: &mut [u8], at: usize, bytes: &[u8]) -> Result<(), String> {
    let place =
        at.checked_add(bytes.len()).and_then(|end| image.get_mut(at..end)).ok_or("the object is damaged")?;
    place.copy_from_slice(bytes);
    Ok(())
}

/// Anonymous private memory, whole pages.
#[derive(Debug)]
struct Mapping {
    base: NonNull<u8>,
    length: usize,
}

// SAFETY: the mapping belongs to nobody else; after `protect`, this process only reads and runs what lies in its first two parts,
// and the third is the kernels' own affair.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    fn new(length: usize) -> Result<Mapping, String> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: a fresh anonymous mapping, wherever the system puts it, touches nothing that exists.
        let base = unsafe {
            libc::mmap(std::ptr::null_mut(), length, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0)
        };
        if base == libc::MAP_FAILED {
            return Err(format!("no memory for code: {}", std::io::Error::last_os_error()));
        }
        let base = NonNull::new(base.cast()).ok_or("no memory for code")?;
        Ok(Mapping { base, length })
    }

    fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: the mapping is that long, zeroed, still writable (`protect` comes last), and borrowed for as long as the slice.
        unsafe { std::slice::from_raw_parts_mut(self.base.as_ptr(), self.length) }
    }

    /// Code up to `code_end`, then what is only read up to `read_end`; the rest stays as it is.
    fn protect(&mut self, code_end: usize, read_end: usize) -> Result<(), String> {
        for (start, end, protection) in
            [(0, code_end, libc::PROT_READ | libc::PROT_EXEC), (code_end, read_end, libc::PROT_READ)]
        {
            if end <= start {
                continue;
            }
            // SAFETY: the range lies inside of the mapping, in whole pages, and no slice of it is alive.
            let failed =
                unsafe { libc::mprotect(self.base.as_ptr().add(start).cast(), end - start, protection) };
            if failed != 0 {
                return Err(format!(
                    "code cannot be made executable here: {}",
                    std::io::Error::last_os_error()
                ));
            }
        }
        Ok(())
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: nobody else knows the mapping; who runs its code keeps the `Code`.
        unsafe { libc::munmap(self.base.as_ptr().cast(), self.length) };
    }
}

#[cfg(test)]
mod tests;
