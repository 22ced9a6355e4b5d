//! Can these facts hold together? Exact where it says no.
//!
//! Equalities are solved (a coefficient of one, or a greatest common divisor that does not divide the constant), products of atoms are
//! taken apart (`m * q + r == 0` with `|r| < m` means `q == 0` and `r == 0`), and what is left goes to Fourier and Motzkin's elimination
//! over the integers' hull, products being variables of their own with a few lemmas. Whatever is dropped on the way makes more possible,
//! never less: a "no" stays right. Effort is bounded; what is not settled is "perhaps".

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::affine::{Atom, Fact, Monomial, Poly};

/// Inequalities held at one time, and combinations made in one elimination.
const WIDTH: usize = 300;
const COMBINATIONS: usize = 6000;
/// `x != 0` that are split into both sides.
const SPLITS: usize = 3;

/// Whether no integers make all facts true.
pub fn contradictory(facts: &[Fact]) -> bool {
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
    split(system, &apart, SPLITS)
}

/// Whether the facts make `fact` true.
pub fn implied(facts: &[Fact], fact: &Fact) -> bool {
    let one = Poly::constant(1);
    let mut all = facts.to_vec();
    match fact {
        Fact::AtLeastZero(poly) => {
            let Some(negated) = Poly::default().subtract(poly).and_then(|poly| poly.subtract(&one)) else {
                return false;
            };
            all.push(Fact::AtLeastZero(negated));
            contradictory(&all)
        }
        Fact::Zero(poly) => {
            all.push(Fact::NotZero(poly.clone()));
            contradictory(&all)
        }
        Fact::NotZero(poly) => {
            all.push(Fact::Zero(poly.clone()));
            contradictory(&all)
        }
    }
}

fn split(system: System, apart: &[Poly], left: usize) -> bool {
    if system.clone().refute() {
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
        return split(system, rest, left);
    };
    [above, below].into_iter().all(|bound| {
        let mut system = system.clone();
        system.bounds.push(bound);
        split(system, rest, left - 1)
    })
}

#[derive(Clone, Default)]
struct System {
    equal: Vec<Poly>,
    /// At least zero each.
    bounds: Vec<Poly>,
}

impl System {
    fn refute(mut self) -> bool {
        for _ in 0..64 {
            if self.normalise() {
                return true;
            }
            if !(self.solve() || self.take_apart()) {
                break;
            }
        }
        self.lemmas();
        self.eliminate()
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
    fn take_apart(&mut self) -> bool {
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
                    if self.proves(positive) || self.proves(negative) {
                        self.equal[place] = quotient;
                        return true;
                    }
                    continue;
                }
                // |rest| <= atom - 1
                let above = positive.as_ref().and_then(|most| most.subtract(&rest));
                let below = positive.as_ref().and_then(|most| most.add(&rest));
                if self.proves(above) && self.proves(below) {
                    self.equal[place] = quotient;
                    self.equal.push(rest);
                    return true;
                }
            }
        }
        false
    }

    /// Whether `poly >= 0` follows, by the linear part alone.
    fn proves(&self, poly: Option<Poly>) -> bool {
        let negated = poly
            .and_then(|poly| Poly::default().subtract(&poly))
            .and_then(|poly| poly.subtract(&Poly::constant(1)));
        let Some(negated) = negated else { return false };
        let mut system = self.clone();
        system.bounds.push(negated);
        system.eliminate()
    }

    /// Products of two atoms whose signs are known have one too.
    fn lemmas(&mut self) {
        let products: BTreeSet<Monomial> = self
            .equal
            .iter()
            .chain(&self.bounds)
            .flat_map(Poly::terms)
            .map(|(monomial, _)| monomial.clone())
            .filter(|monomial| monomial.len() == 2 || monomial.len() == 3)
            .collect();
        let mut low: BTreeMap<Atom, Option<(i128, i128)>> = BTreeMap::new();
        for atom in products.iter().flatten() {
            if !low.contains_key(atom) {
                let bound = self.sign(*atom);
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
    fn sign(&self, atom: Atom) -> Option<(i128, i128)> {
        [(1, 1), (-1, 1), (1, 0), (-1, 0)].into_iter().find(|(sign, bound)| {
            self.proves(Poly::atom(atom).scale(*sign).and_then(|poly| poly.subtract(&Poly::constant(*bound))))
        })
    }

    /// Fourier and Motzkin, monomials as variables; whether the inequalities exclude each other.
    fn eliminate(&self) -> bool {
        let mut numbers: HashMap<Monomial, usize> = HashMap::new();
        let mut rows = Rows::default();
        for (list, both) in [(&self.bounds, false), (&self.equal, true)] {
            for poly in list {
                let mut row = Row::default();
                for (monomial, coefficient) in poly.terms() {
                    if monomial.is_empty() {
                        row.constant = coefficient;
                    } else {
                        let next = numbers.len();
                        row.terms.insert(*numbers.entry(monomial.clone()).or_insert(next), coefficient);
                    }
                }
                if both {
                    let mut back = row.clone();
                    back.constant = -back.constant;
                    back.terms.values_mut().for_each(|coefficient| *coefficient = -*coefficient);
                    if rows.insert(back) {
                        return true;
                    }
                }
                if rows.insert(row) {
                    return true;
                }
            }
        }
        let mut combinations = 0;
        while let Some(variable) = rows.cheapest() {
            let (with, without) = rows.part(variable);
            rows = without;
            let (above, below): (Vec<_>, Vec<_>) = with.into_iter().partition(|row| row.terms[&variable] > 0);
            combinations += above.len() * below.len();
            if combinations > COMBINATIONS {
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

/// `sum of terms + constant >= 0`.
#[derive(Clone, Debug, Default)]
struct Row {
    terms: BTreeMap<usize, i128>,
    constant: i128,
}

/// Inequalities; of those that differ by the constant alone, the tightest.
#[derive(Default)]
struct Rows {
    kept: BTreeMap<BTreeMap<usize, i128>, i128>,
}

impl Rows {
    /// Whether the row cannot hold.
    fn insert(&mut self, mut row: Row) -> bool {
        let divisor = row.terms.values().fold(0, |divisor, coefficient| gcd(divisor, *coefficient));
        if divisor == 0 {
            return row.constant < 0;
        }
        if divisor > 1 {
            row.terms.values_mut().for_each(|coefficient| *coefficient /= divisor);
            row.constant = row.constant.div_euclid(divisor);
        }
        let opposite: BTreeMap<usize, i128> = row.terms.iter().map(|(number, c)| (*number, -c)).collect();
        if self
            .kept
            .get(&opposite)
            .is_some_and(|other| other.checked_add(row.constant).is_some_and(|sum| sum < 0))
        {
            return true;
        }
        let constant = row.constant;
        self.kept.entry(row.terms).and_modify(|kept| *kept = constant.min(*kept)).or_insert(constant);
        false
    }

    /// The variable whose elimination makes the fewest rows.
    fn cheapest(&self) -> Option<usize> {
        let mut counts: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
        for terms in self.kept.keys() {
            for (variable, coefficient) in terms {
                let count = counts.entry(*variable).or_default();
                if *coefficient > 0 { count.0 += 1 } else { count.1 += 1 }
            }
        }
        counts.into_iter().min_by_key(|(_, (above, below))| above * below).map(|(variable, _)| variable)
    }

    /// Rows with the variable, and the others.
    fn part(self, variable: usize) -> (Vec<Row>, Self) {
        let mut with = Vec::new();
        let mut without = Self::default();
        for (terms, constant) in self.kept {
            if terms.contains_key(&variable) {
                with.push(Row { terms, constant });
            } else {
                without.kept.insert(terms, constant);
            }
        }
        (with, without)
    }
}

/// Without the variable; `None` where numbers grow too large (the row is left out: more is possible then).
fn combine(high: &Row, low: &Row, variable: usize) -> Option<Row> {
    let (up, down) = (high.terms[&variable], -low.terms[&variable]);
    let common = gcd(up, down);
    let (of_high, of_low) = (down / common, up / common);
    let mut row = Row {
        constant: high.constant.checked_mul(of_high)?.checked_add(low.constant.checked_mul(of_low)?)?,
        terms: BTreeMap::new(),
    };
    for (terms, factor) in [(&high.terms, of_high), (&low.terms, of_low)] {
        for (number, coefficient) in terms {
            let entry = row.terms.entry(*number).or_insert(0);
            *entry = entry.checked_add(coefficient.checked_mul(factor)?)?;
        }
    }
    row.terms.retain(|_, coefficient| *coefficient != 0);
    Some(row)
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
