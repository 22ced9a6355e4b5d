#[path = "../tests/it/programs.rs"]
#[allow(dead_code)]
mod programs;
mod cases {
    pub struct Case {
        pub input: String,
    }
    impl Case {
        pub fn program(&self) -> crate::programs::Program {
            panic!()
        }
    }
    #[allow(dead_code)]
    pub fn check_case(_: &str, _: impl FnMut(&Case) -> String) {}
}
use mh_compile::*;
fn main() {
    let file = std::env::args().nth(1).expect("file");
    let show = std::env::args().nth(2).unwrap_or_default();
    let text = std::fs::read_to_string(&file).expect("text");
    let trees = std::fs::read_to_string(std::path::Path::new(&file).with_extension("trees")).expect("trees");
    for part in format!("\n{text}").split("\n=== ").skip(1) {
        let (name, rest) = part.split_once('\n').expect("name");
        let input = format!("{}\n", rest.split("\n--- ").next().unwrap_or("").trim_matches('\n'));
        if !show.is_empty() && !name.contains(&show) {
            continue;
        }
        println!("=== {name}");
        let mut program = programs::Program::read(&trees, name, &input).expect("ok").expect("there");
        let t = std::time::Instant::now();
        match lower::lower(&mut program.world, program.entry, &program.arguments) {
            Err((d, s)) => println!("LOWER {}", d.render(&s)),
            Ok(mut m) => {
                let took = t.elapsed();
                if !show.is_empty() {
                    let mut n = m.clone();
                    n.sources.clear();
                    println!("{n}");
                }
                match races::check(&mut m) {
                    Err(d) => println!("RACES {}", d.render(&m.sources)),
                    Ok(_) => {
                        if !show.is_empty() {
                            let mut n = m.clone();
                            n.sources.clear();
                            println!("{n}");
                        }
                        println!("fine {took:?}")
                    }
                }
            }
        }
    }
}
