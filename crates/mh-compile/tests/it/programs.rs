//! Small Python programs with a world around them: what the binding answers for a module that imports `math`, `cmath`, `random`,
//! `numpy` (`np` too) and `manyhands` (`mh` too).

use std::collections::HashMap;

use mh_compile::ast;
use mh_compile::compile::Argument;
use mh_compile::decode::hex_float;
use mh_compile::ir::{Array, Flavour, Kind, Layout, Scalar, Source};
use mh_compile::world::{Code, Found, World};
use serde_json::Value;

/// A case's program. The last of its functions is the one that is compiled.
#[derive(Clone, Debug)]
pub struct Program {
    pub world: TestWorld,
    /// The entry's number.
    pub entry: u32,
    pub arguments: Vec<Argument>,
}

impl Program {
    pub fn code(&self) -> &Code {
        &self.world.functions[self.entry as usize]
    }

    /// What `trees` has for the case of this name; None where it has nothing.
    pub fn read(trees: &str, name: &str, input: &str) -> Result<Option<Self>, String> {
        let mut lines = trees.lines().skip_while(|line| {
            let named = line.strip_prefix("case ").map(|rest| jsons(rest).into_iter().next());
            named.is_none_or(|named| named.is_none_or(|named| named != name))
        });
        let Some(first) = lines.next() else { return Ok(None) };
        if jsons(&first[5..]).get(1).is_none_or(|source| source != input) {
            return Err("the trees are of another text: run tests/cases/trees.py".into());
        }
        let mut program = Self { world: TestWorld::default(), entry: 0, arguments: Vec::new() };
        for line in lines.take_while(|line| !line.starts_with("case ")) {
            program.line(line, input)?;
        }
        Ok(Some(program))
    }

    fn line(&mut self, line: &str, input: &str) -> Result<(), String> {
        let (word, rest) = line.split_once(' ').ok_or("a line of one word")?;
        if word == "types" {
            let types = jsons(rest).pop().unwrap_or_default();
            let types = types.as_array().ok_or("types are a list")?;
            self.arguments = types
                .iter()
                .map(|one| argument(one.as_str().unwrap_or_default()))
                .collect::<Result<_, _>>()?;
            return Ok(());
        }
        let (name, rest) = rest.split_once(' ').ok_or("a name without a value")?;
        let world = &mut self.world;
        if word == "let" {
            let value = jsons(rest).pop().unwrap_or_default();
            let found = world.found(&value)?;
            world.names.insert(name.to_owned(), found);
            return Ok(());
        }
        let mut parts = serde_json::Deserializer::from_str(rest).into_iter::<HashMap<String, Value>>();
        let defaults = parts.next().ok_or("no defaults")?.map_err(|why| why.to_string())?;
        let mut defaults: Vec<_> = defaults
            .iter()
            .map(|(name, value)| Ok((name.clone(), world.found(value)?)))
            .collect::<Result<_, String>>()?;
        defaults.sort_by(|a, b| a.0.cmp(&b.0));
        self.entry = world.functions.len().try_into().map_err(|_| "too many functions")?;
        let tree = ast::Function::from_json(
            rest[parts.byte_offset()..].trim(),
            self.entry.try_into().unwrap_or(u16::MAX),
        )?;
        world.functions.push(Code {
            scope: self.entry,
            source: Source {
                file: "case.py".into(),
                function: name.to_owned(),
                first_line: 1,
                text: input.to_owned(),
            },
            tree,
            defaults,
        });
        world.names.insert(name.to_owned(), Found::Function(self.entry));
        Ok(())
    }
}

fn jsons(text: &str) -> Vec<Value> {
    serde_json::Deserializer::from_str(text).into_iter().map_while(Result::ok).collect()
}

const MODULES: [(&str, &str); 8] = [
    ("math", "math"),
    ("cmath", "cmath"),
    ("random", "random"),
    ("np", "numpy"),
    ("numpy", "numpy"),
    ("mh", "manyhands"),
    ("manyhands", "manyhands"),
    ("nb", "manyhands"),
];
/// Numbers of modules begin here; `PATHS` has their names.
const MODULE: u32 = 1000;
const PATHS: [&str; 6] = ["math", "cmath", "random", "numpy", "manyhands", "numpy.random"];

const CONSTANTS: [(&str, f64); 6] = [
    ("pi", std::f64::consts::PI),
    ("e", std::f64::consts::E),
    ("tau", std::f64::consts::TAU),
    ("inf", f64::INFINITY),
    ("nan", f64::NAN),
    ("euler_gamma", 0.577_215_664_901_532_9),
];

const BUILTINS: &str = "abs all any bin bool bytes callable chr complex dict divmod enumerate filter float format frozenset hash hex id \
    input int isinstance iter len list map max min next object open ord pow print range repr reversed round set slice sorted str sum \
    tuple type zip ArithmeticError AssertionError Exception FloatingPointError IndexError KeyError NotImplementedError OverflowError \
    RuntimeError StopIteration TypeError ValueError ZeroDivisionError MemoryError";

#[derive(Clone, Debug, Default)]
pub struct TestWorld {
    pub functions: Vec<Code>,
    names: HashMap<String, Found>,
    objects: u32,
}

impl TestWorld {
    /// A value that `trees.py` wrote.
    fn found(&mut self, value: &Value) -> Result<Found, String> {
        let part = |number: usize| value[number].as_str().unwrap_or_default();
        let float = |text: &str| hex_float(text).ok_or_else(|| format!("{text} is no float"));
        Ok(match part(0) {
            "None" => Found::None,
            "bool" => Found::Bool(part(1) == "True"),
            "int" => part(1)
                .parse()
                .map_or_else(|_| Found::Refused(format!("the int {} is past 64 bits", part(1))), Found::Int),
            "float" => Found::Float(float(part(1))?),
            "complex" => {
                let (real, imaginary) = part(1).split_once(' ').ok_or("half a complex number")?;
                Found::Complex(float(real)?, float(imaginary)?)
            }
            "str" => Found::Str(part(1).to_owned()),
            "tuple" => {
                let members = value[1].as_array().ok_or("a tuple without members")?;
                Found::Tuple(members.iter().map(|member| self.found(member)).collect::<Result<_, _>>()?)
            }
            "numpy" => Found::NumPy(
                kind(part(1)).ok_or("an unknown type of NumPy's")?,
                Box::new(self.found(&value[2])?),
            ),
            "array" => match argument(part(1))? {
                Argument::Array(array) => Found::Array(self.object(), array),
                _ => return Err(format!("{} is no array", part(1))),
            },
            "exception" => Found::Exception(self.object()),
            other => return Err(format!("a value of the unknown type {other}")),
        })
    }

    fn object(&mut self) -> u32 {
        self.objects += 1;
        self.objects - 1
    }
}

impl World for TestWorld {
    fn name(&mut self, _scope: u32, name: &str) -> Found {
        if let Some(found) = self.names.get(name) {
            return found.clone();
        }
        if let Some((_, path)) = MODULES.iter().find(|(alias, _)| *alias == name) {
            return module(path);
        }
        if BUILTINS.split_whitespace().any(|builtin| builtin == name) {
            return Found::Known(format!("builtins.{name}"));
        }
        Found::Missing
    }

    fn attribute(&mut self, object: u32, name: &str) -> Found {
        let Some(path) = object.checked_sub(MODULE).and_then(|number| PATHS.get(number as usize)) else {
            return Found::Missing;
        };
        let constant = CONSTANTS.iter().find(|(constant, _)| *constant == name);
        match (*path, name) {
            ("numpy", "newaxis") => Found::None,
            ("numpy", "random") => module("numpy.random"),
            ("math" | "cmath" | "numpy", _) if constant.is_some() => {
                constant.map_or(Found::Missing, |(_, value)| Found::Float(*value))
            }
            _ if name.starts_with("no_such") => Found::Missing,
            _ => Found::Known(format!("{path}.{name}")),
        }
    }

    fn function(&mut self, object: u32) -> Result<Code, String> {
        self.functions.get(object as usize).cloned().ok_or_else(|| "it is no function".into())
    }
}

fn module(path: &str) -> Found {
    let number = PATHS.iter().position(|one| *one == path).and_then(|number| u32::try_from(number).ok());
    number.map_or(Found::Missing, |number| Found::Module(MODULE + number))
}

/// A type as the IR's text writes it: `float`, `i32`, `f64[2 C]`, `f32[1 any ro]`, `(int, float)`, `None`.
pub fn argument(text: &str) -> Result<Argument, String> {
    let wrong = || format!("{text:?} is no type of an argument");
    if let Some(members) = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')) {
        let (mut depth, mut from, mut parts) = (0_usize, 0, Vec::new());
        for (at, letter) in members.char_indices() {
            match letter {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                ',' if depth == 0 => {
                    parts.push(&members[from..at]);
                    from = at + 1;
                }
                _ => {}
            }
        }
        parts.push(&members[from..]);
        let parts = parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty());
        return Ok(Argument::Tuple(parts.map(argument).collect::<Result<_, _>>()?));
    }
    if let Some((element, shape)) = text.strip_suffix(']').and_then(|text| text.split_once('[')) {
        let words: Vec<_> = shape.split_whitespace().collect();
        let [rank, layout, rest @ ..] = &words[..] else { return Err(wrong()) };
        let layout = match *layout {
            "C" => Layout::C,
            "F" => Layout::F,
            "inner" => Layout::Inner,
            "any" => Layout::Any,
            _ => return Err(wrong()),
        };
        let element = if element == "bool" { Some(Kind::Bool) } else { kind(element) };
        return Ok(Argument::Array(Array {
            element: element.ok_or_else(wrong)?,
            rank: rank.parse().map_err(|_| wrong())?,
            layout,
            writable: *rest != ["ro"],
        }));
    }
    Ok(match text {
        "None" => Argument::None,
        "bool" => Argument::Scalar(Scalar::BOOL),
        "int" => Argument::Scalar(Scalar::INT),
        "float" => Argument::Scalar(Scalar::FLOAT),
        "complex" => Argument::Scalar(Scalar::COMPLEX),
        other => Argument::Scalar(Scalar { kind: kind(other).ok_or_else(wrong)?, flavour: Flavour::NumPy }),
    })
}

/// By the IR's name or by NumPy's.
fn kind(name: &str) -> Option<Kind> {
    Some(match name {
        "np.bool" | "bool_" => Kind::Bool,
        "i8" | "int8" => Kind::I8,
        "i16" | "int16" => Kind::I16,
        "i32" | "int32" => Kind::I32,
        "i64" | "int64" => Kind::I64,
        "u8" | "uint8" => Kind::U8,
        "u16" | "uint16" => Kind::U16,
        "u32" | "uint32" => Kind::U32,
        "u64" | "uint64" => Kind::U64,
        "f32" | "float32" => Kind::F32,
        "f64" | "float64" => Kind::F64,
        "c64" | "complex64" => Kind::C64,
        "c128" | "complex128" => Kind::C128,
        _ => return None,
    })
}

/// The world answers as it is asked, before any stage stands on it.
#[test]
fn names_stand_for_what_they_should() {
    crate::cases::check_case("decode", |case| {
        let mut program = case.program();
        let code = program.code().clone();
        let mut out = format!("{}{:?}\n", code.tree.name, program.arguments);
        let words =
            case.input.split(|letter: char| !letter.is_alphanumeric() && letter != '_' && letter != '.');
        let mut names: Vec<_> = words.filter(|word| word.starts_with(char::is_alphabetic)).collect();
        names.sort_unstable();
        names.dedup();
        for path in names {
            let mut parts = path.split('.');
            let mut found = program.world.name(code.scope, parts.next().unwrap_or_default());
            for part in parts {
                if let Found::Module(module) = found {
                    found = program.world.attribute(module, part);
                }
            }
            if let Found::Function(number) = found {
                let defaults = program.world.function(number).map(|code| code.defaults);
                out += &format!("{path} = {found:?} {defaults:?}\n");
            } else if found != Found::Missing {
                out += &format!("{path} = {found:?}\n");
            }
        }
        out
    });
}
