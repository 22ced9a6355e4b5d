//! Iterations side by side in lanes: what the loops give as they are written, to the bit.

use super::lanes::targets;
use super::{Compiled, Raised, compile, compile_module, slots};
use crate::compile::Failure;
use crate::jam::together;
use crate::llvm::Target;
use crate::text::parse;

const LOOPS: &str = "
result tuple(int, float, float, int)
fn f(%x: f64[1 C], %out: f64[1 C], %most: int) -> (int, float, float, int) {
  var %i: int, %k: int, %a: float, %b: float, %n: int
  %i = -1
  %k = -2
  %n = -3
  %a = 0.5
  %b = 0.25
  for #1 %i in range(0, dim(%x, 0), 1) {
    %a = float(%x[%i])
    %b = 1.5
    %n = 0
    block L0 {
      LOOP {
        %n = (%n + 1)
        BODY
      }
      %b = (%b + 100.0)
    }
    %out[%i] = f64(((%a + (%b * 3.0)) + float(%n)))
  }
  return (%i, %a, %b, %n)
}
";
const WHILE: &str = "while (%n < %most)";
const FOR: &str = "for #0 %k in range(0, %most, 1)";

/// As written, and side by side.
fn both(head: &str, body: &str, target: &Target) -> [Compiled; 2] {
    let text = LOOPS.replace("LOOP", head).replace("BODY", body);
    let mut module = parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    together(&mut module, 4);
    assert!(module.to_string().contains("lockstep"), "{module}");
    [compile(&text), compile_module(&module, target)]
}

/// What is written, and left or raised: nan is nan, whichever it is.
fn run(kernel: &Compiled, x: &[f64], most: u64) -> (Vec<u64>, Result<Vec<u64>, Raised>) {
    let (mut x, mut out) = (x.to_vec(), vec![7.5; x.len()]);
    let length = [x.len() as i64];
    let mut arguments = slots(&mut x, &length);
    arguments.extend(slots(&mut out, &length));
    arguments.push(most);
    let bits = |value: f64| if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() };
    let left = kernel.call(&arguments).map(|mut slots| {
        slots[1..3].iter_mut().for_each(|slot| *slot = bits(f64::from_bits(*slot)));
        slots
    });
    (out.into_iter().map(bits).collect(), left)
}

fn same(head: &str, body: &str, target: &Target) {
    let [plain, lanes] = both(head, body, target);
    for length in [0, 1, 2, 7, 8, 9, 19] {
        for most in [0, 1, 2, 13] {
            let mut x: Vec<f64> =
                (0..length).map(|k| ((k * 7919 + length) % 100) as f64 / 17.0 - 2.5).collect();
            x.iter_mut().skip(4).take(1).for_each(|x| *x = f64::NAN);
            let [expected, found] = [&plain, &lanes].map(|kernel| run(kernel, &x, most));
            assert_eq!(found, expected, "{head} {body} {length} {most}");
        }
    }
}

#[test]
fn who_leaves_and_who_goes_on() {
    let body = "
        if (%a > 2.0) { leave L0 }
        block L1 {
          if (%a < -1.0) { %a = (%a * -0.5) %b = (%b + 1.0) leave L1 }
          %a = (%a * 1.25)
          if (%a > 1.75) { break }
        }
        if (%b > 3.0) { continue }
        %b = (%b * (%a + 0.5))";
    for target in targets() {
        for head in [WHILE, FOR, "for #0 %k in range(0, (%i - 3), 1)"] {
            same(head, body, &target);
        }
    }
}

#[test]
fn what_fails_in_a_lane_is_raised_in_its_turn() {
    let [_, lanes] = both(WHILE, "%a = (1.0 / (%a - 1.0))!", &Target::host());
    let mut x = vec![0.25; 30];
    for place in [29, 17, 16, 8, 3, 0] {
        x[place] = 1.0;
        let (out, left) = run(&lanes, &x, 5);
        assert_eq!(left.unwrap_err().0, Failure::ZeroDivision("float division by zero".into()), "{place}");
        let written = out.iter().filter(|bits| **bits != 7.5_f64.to_bits()).count();
        assert_eq!(written, place);
    }
}

/// Random bodies.
struct Maker(u64);

impl Maker {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn number(&mut self, depth: u32) -> String {
        if depth == 0 {
            return ["%a", "%b", "0.75", "-1.5", "(0.5 * float(%n))"][self.below(5) as usize].into();
        }
        let (one, other) = (self.number(depth - 1), self.number(depth - 1));
        match self.below(8) {
            0 => format!("neg({one})"),
            1 => format!("if({}, {one}, {other})", self.condition()),
            2 => format!("({one} / {other})!"),
            3 => format!("math.hypot({one}, {other}):float"),
            kind => format!("({one} {} {other})", ["+", "-", "*", "*"][kind as usize - 4]),
        }
    }

    fn condition(&mut self) -> String {
        let op = ["<", "<=", ">", "!="][self.below(4) as usize];
        format!("({} {op} {})", self.number(1), self.number(0))
    }

    fn block(&mut self, depth: u32) -> String {
        let mut out = String::new();
        for _ in 0..1 + self.below(3) {
            let kind = self.below(if depth == 0 { 3 } else { 6 });
            out.push_str(&match kind {
                0 | 1 => format!("%a = {}\n", self.number(2)),
                2 => format!("%b = {}\n", self.number(1)),
                3 => {
                    let (then, orelse) = (self.block(depth - 1), self.block(depth - 1));
                    format!("if {} {{ {then} }} else {{ {orelse} }}\n", self.condition())
                }
                4 => {
                    let way = ["break", "continue", "leave L0"][self.below(3) as usize];
                    format!("if {} {{ {} {way} }}\n", self.condition(), self.block(0))
                }
                _ => {
                    let label = 1 + depth;
                    let (first, last) = (self.block(depth - 1), self.block(depth - 1));
                    format!(
                        "block L{label} {{ {first} if {} {{ leave L{label} }} {last} }}\n",
                        self.condition()
                    )
                }
            });
        }
        out
    }
}

#[test]
fn random_bodies_give_the_same_bits() {
    let mut maker = Maker(20);
    for number in 0..8 {
        let body = format!("if {} {{ break }}\n{}%a = (%a + %b)", maker.condition(), maker.block(2));
        same(if number % 2 == 0 { WHILE } else { FOR }, &body, &Target::host());
    }
}
