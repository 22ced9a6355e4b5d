//! Can these facts hold together? Exact where it says no.
//!
//! Equalities are solved (a coefficient of one, or a greatest common divisor that does not divide the constant), products of atoms are
//! taken apart (`m * q + r == 0` with `|r| < m` means `q == 0` and `r == 0`), and what is left goes to Fourier and Motzkin's elimination
//! over the integers' hull, products being variables of their own with a few lemmas. Whatever is dropped on the way makes more possible,
//! never less: a "no" stays right. Effort is bounded; what is not settled is "perhaps".

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::affine::{Atom, Fact, Monomial, Poly};

/// Inequalities held at one time, and combinations for one variable.
const WIDTH: usize = 200;
const COMBINATIONS: usize = 2000;
/// Combinations for one function.
const EFFORT: usize = 1_000_000;
/// Products that lemmas are made of.
const PRODUCTS: usize = 10;
/// `x != 0` that are split into both sides.
const SPLITS: usize = 3;

/// How many combinations are still allowed. Where none are left, all is possible.
#[derive(Debug)]
pub struct Effort(Cell<usize>);

impl Default for Effort {
    fn default() -> Self {
        Self(Cell::new(EFFORT))
    }
}

impl Effort {
    fn spend(&self, combinations: usize) -> bool {
        let left = self.0.get().checked_sub(combinations + 1);
        self.0.set(left.unwrap_or(0));
        left.is_some()
    }
}

/// Whether no integers make all facts true.
pub fn contradictory(facts: &[Fact], effort: &Effort) -> bool {
    let mut system = System::default();
    let mut apart = Vec::new();
    for fact in facts {
        match fact {
            Fact::AtLeastZero(poly) => system.bounds.push(poly.clone()),
            Fact::Zero(poly) => system.equal.push(poly.clone()),
            Fact::NotZero(poly) => apart.push(poly.clone()),
        }
    }
    apart.sort();
    apart.dedup();
    split(system, &apart, SPLITS, effort)
}

/// Whether the facts make `fact` true.
pub fn implied(facts: &[Fact], fact: &Fact, effort: &Effort) -> bool {
    let one = Poly::constant(1);
    let mut all = facts.to_vec();
    match fact {
        Fact::AtLeastZero(poly) => {
            let Some(negated) = Poly::default().subtract(poly).and_then(|poly| poly.subtract(&one)) else {
                return false;
            };
            all.push(Fact::AtLeastZero(negated));
            contradictory(&all, effort)
        }
        Fact::Zero(poly) => {
            all.push(Fact::NotZero(poly.clone()));
            contradictory(&all, effort)
        }
        Fact::NotZero(poly) => {
            all.push(Fact::Zero(poly.clone()));
            contradictory(&all, effort)
        }
    }
}

fn split(system: System, apart: &[Poly], left: usize, effort: &Effort) -> bool {
    if system.clone().refute(effort) {
        return true;
    }
    let Some((poly, rest)) = apart.split_first() else { return false };
    if left == 0 {
        return false;
    }
    let one = Poly::constant(1);
    let (Some(above), Some(below)) =
        (poly.subtract(&one), Poly::default().subtract(poly).and_then(|negated| negated.subtract(&one)))
    else {
        return split(system, rest, left, effort);
    };
    [above, below].into_iter().all(|bound| {
        let mut system = system.clone();
        system.bounds.push(bound);
        split(system, rest, left - 1, effort)
    })
}

#[derive(Clone, Default)]
struct System {
    equal: Vec<Poly>,
    /// At least zero each.
    bounds: Vec<Poly>,
}

impl System {
    fn refute(mut self, effort: &Effort) -> bool {
        for _ in 0..64 {
            if self.normalise() {
                return true;
            }
            if !(self.solve() || self.take_apart(effort)) {
                break;
            }
        }
        self.lemmas(effort);
        self.eliminate(effort)
    }

    /// Whether an equality cannot hold; those that always do are dropped.
    fn normalise(&mut self) -> bool {
        let mut impossible = false;
        self.equal.retain_mut(|poly| {
            let constant = poly.coefficient(&[]);
            let divisor = divisor(poly);
            if divisor == 0 {
                impossible |= constant != 0;
                return false;
            }
            impossible |= constant % divisor != 0;
            if divisor > 1 && constant % divisor == 0 {
                *poly = poly.shrink(divisor);
            }
            true
        });
        impossible
    }

    /// Replaces one atom by what an equality says of it.
    fn solve(&mut self) -> bool {
        for place in 0..self.equal.len() {
            let poly = &self.equal[place];
            let lone = poly.terms().find_map(|(monomial, coefficient)| {
                let [atom] = monomial[..] else { return None };
                let once = poly.atoms().filter(|other| *other == atom).count() == 1;
                (coefficient.abs() == 1 && once).then_some((atom, coefficient))
            });
            let Some((atom, coefficient)) = lone else { continue };
            let (_, rest) = poly.divide(atom);
            let Some(value) = rest.scale(-coefficient) else { continue };
            self.equal.swap_remove(place);
            for list in [&mut self.equal, &mut self.bounds] {
                *list = list.iter().filter_map(|poly| poly.substitute(atom, &value)).collect();
            }
            return true;
        }
        false
    }

    /// Simplifies an equality that holds products.
    fn take_apart(&mut self, effort: &Effort) -> bool {
        for place in 0..self.equal.len() {
            let poly = self.equal[place].clone();
            let atoms: BTreeSet<Atom> = poly
                .terms()
                .filter(|(monomial, _)| monomial.len() > 1)
                .flat_map(|(m, _)| m.clone())
                .collect();
            for atom in atoms {
                let (quotient, rest) = poly.divide(atom);
                let one = Poly::constant(1);
                let positive = Poly::atom(atom).subtract(&one);
                let negative =
                    Poly::default().subtract(&Poly::atom(atom)).and_then(|poly| poly.subtract(&one));
                if rest.is_zero() {
                    if self.proves(positive, effort) || self.proves(negative, effort) {
                        self.equal[place] = quotient;
                        return true;
                    }
                    continue;
                }
                // |rest| <= atom - 1
                let above = positive.as_ref().and_then(|most| most.subtract(&rest));
                let below = positive.as_ref().and_then(|most| most.add(&rest));
                if self.proves(above, effort) && self.proves(below, effort) {
                    self.equal[place] = quotient;
                    self.equal.push(rest);
                    return true;
                }
            }
        }
        false
    }

    /// Whether `poly >= 0` follows, by the linear part alone.
    fn proves(&self, poly: Option<Poly>, effort: &Effort) -> bool {
        let negated = poly
            .and_then(|poly| Poly::default().subtract(&poly))
            .and_then(|poly| poly.subtract(&Poly::constant(1)));
        let Some(negated) = negated else { return false };
        let mut system = self.clone();
        system.bounds.push(negated);
        system.eliminate(effort)
    }

    /// Products of two atoms whose signs are known have one too.
    fn lemmas(&mut self, effort: &Effort) {
        let products: BTreeSet<Monomial> = self
            .equal
            .iter()
            .chain(&self.bounds)
            .flat_map(Poly::terms)
            .map(|(monomial, _)| monomial.clone())
            .filter(|monomial| monomial.len() == 2 || monomial.len() == 3)
            .take(PRODUCTS)
            .collect();
        let mut low: BTreeMap<Atom, Option<(i128, i128)>> = BTreeMap::new();
        for atom in products.iter().flatten() {
            if !low.contains_key(atom) {
                let bound = self.sign(*atom, effort);
                low.insert(*atom, bound);
            }
        }
        // Each factor as `sign * atom - bound >= 0`.
        let factor = |atom: &Atom| {
            let (sign, bound) = (*low.get(atom)?)?;
            Poly::atom(*atom).scale(sign)?.subtract(&Poly::constant(bound))
        };
        let made: Vec<Poly> = products
            .iter()
            .filter_map(|monomial| {
                let mut product = factor(&monomial[0])?;
                for atom in &monomial[1..] {
                    product = product.multiply(&factor(atom)?)?;
                }
                Some(product)
            })
            .collect();
        self.bounds.extend(made);
    }

    /// `(sign, bound)` with `sign * atom >= bound`, bound 0 or 1.
    fn sign(&self, atom: Atom, effort: &Effort) -> Option<(i128, i128)> {
        [(1, 1), (-1, 1), (1, 0), (-1, 0)].into_iter().find(|(sign, bound)| {
            self.proves(
                Poly::atom(atom).scale(*sign).and_then(|poly| poly.subtract(&Poly::constant(*bound))),
                effort,
            )
        })
    }

    /// Fourier and Motzkin, monomials as variables; whether the inequalities exclude each other.
    fn eliminate(&self, effort: &Effort) -> bool {
        let mut numbers: HashMap<&Monomial, u32> = HashMap::new();
        let mut rows = Rows::default();
        for (list, both) in [(&self.bounds, false), (&self.equal, true)] {
            for poly in list {
                let mut row = Row::default();
                for (monomial, coefficient) in poly.terms() {
                    if monomial.is_empty() {
                        row.constant = coefficient;
                    } else {
                        let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
                        row.terms.push((*numbers.entry(monomial).or_insert(next), coefficient));
                    }
                }
                row.terms.sort_unstable();
                if (both && rows.insert(row.opposite())) || rows.insert(row) {
                    return true;
                }
            }
        }
        while let Some(variable) = rows.cheapest() {
            let (above, below, without) = rows.part(variable);
            rows = without;
            if above.len() * below.len() > COMBINATIONS || !effort.spend(above.len() * below.len()) {
                return false;
            }
            for high in &above {
                for low in &below {
                    if combine(high, low, variable).is_some_and(|row| rows.insert(row)) {
                        return true;
                    }
                }
            }
            if rows.kept.len() > WIDTH {
                return false;
            }
        }
        false
    }
}

type Terms = Vec<(u32, i128)>;

/// `sum of terms + constant >= 0`; terms in the order of variables.
#[derive(Clone, Debug, Default)]
struct Row {
    terms: Terms,
    constant: i128,
}

impl Row {
    fn opposite(&self) -> Self {
        Self { terms: self.terms.iter().map(|(number, c)| (*number, -c)).collect(), constant: -self.constant }
    }

    fn coefficient(&self, variable: u32) -> i128 {
        self.terms.iter().find(|(number, _)| *number == variable).map_or(0, |(_, coefficient)| *coefficient)
    }
}

/// Inequalities; of those that differ by the constant alone, the tightest.
#[derive(Default)]
struct Rows {
    kept: BTreeMap<Terms, i128>,
}

impl Rows {
    /// Whether the row cannot hold.
    fn insert(&mut self, mut row: Row) -> bool {
        let divisor = row.terms.iter().fold(0, |divisor, (_, coefficient)| gcd(divisor, *coefficient));
        if divisor == 0 {
            return row.constant < 0;
        }
        if divisor > 1 {
            row.terms.iter_mut().for_each(|(_, coefficient)| *coefficient /= divisor);
            row.constant = row.constant.div_euclid(divisor);
        }
        let other = self.kept.get(&row.opposite().terms);
        if other.is_some_and(|other| other.checked_add(row.constant).is_some_and(|sum| sum < 0)) {
            return true;
        }
        let constant = row.constant;
        self.kept.entry(row.terms).and_modify(|kept| *kept = constant.min(*kept)).or_insert(constant);
        false
    }

    /// The variable whose elimination makes the fewest rows.
    fn cheapest(&self) -> Option<u32> {
        let mut counts: BTreeMap<u32, (usize, usize)> = BTreeMap::new();
        for (variable, coefficient) in self.kept.keys().flatten() {
            let count = counts.entry(*variable).or_default();
            if *coefficient > 0 { count.0 += 1 } else { count.1 += 1 }
        }
        counts.into_iter().min_by_key(|(_, (above, below))| above * below).map(|(variable, _)| variable)
    }

    /// Rows that bound the variable from below (its coefficient is positive), from above, and the others.
    fn part(self, variable: u32) -> (Vec<Row>, Vec<Row>, Self) {
        let (mut above, mut below, mut without) = (Vec::new(), Vec::new(), Self::default());
        for (terms, constant) in self.kept {
            let row = Row { terms, constant };
            match row.coefficient(variable) {
                1.. => above.push(row),
                0 => {
                    without.kept.insert(row.terms, constant);
                }
                _ => below.push(row),
            }
        }
        (above, below, without)
    }
}

/// Without the variable; `None` where numbers grow too large (the row is left out: more is possible then).
fn combine(high: &Row, low: &Row, variable: u32) -> Option<Row> {
    let (up, down) = (high.coefficient(variable), -low.coefficient(variable));
    let common = gcd(up, down);
    let (of_high, of_low) = (down / common, up / common);
    let constant = high.constant.checked_mul(of_high)?.checked_add(low.constant.checked_mul(of_low)?)?;
    let mut terms = Terms::with_capacity(high.terms.len() + low.terms.len());
    let (mut left, mut right) = (high.terms.iter().peekable(), low.terms.iter().peekable());
    loop {
        let number = match (left.peek(), right.peek()) {
            (Some((a, _)), Some((b, _))) => *a.min(b),
            (Some((number, _)), None) | (None, Some((number, _))) => *number,
            (None, None) => return Some(Row { terms, constant }),
        };
        let mut sum = 0_i128;
        if let Some((_, coefficient)) = left.next_if(|(other, _)| *other == number) {
            sum = coefficient.checked_mul(of_high)?;
        }
        if let Some((_, coefficient)) = right.next_if(|(other, _)| *other == number) {
            sum = sum.checked_add(coefficient.checked_mul(of_low)?)?;
        }
        if sum != 0 {
            terms.push((number, sum));
        }
    }
}

/// Of all coefficients but the constant; 0 where there are none.
fn divisor(poly: &Poly) -> i128 {
    poly.terms().filter(|(monomial, _)| !monomial.is_empty()).fold(0, |divisor, (_, c)| gcd(divisor, c))
}

fn gcd(a: i128, b: i128) -> i128 {
    let (mut a, mut b) = (a.unsigned_abs(), b.unsigned_abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    i128::try_from(a).unwrap_or(i128::MAX)
}
