//! Integer values as polynomials over atoms: what the analysis knows of subscripts, bounds and conditions.

use std::collections::BTreeMap;

/// An unknown integer: a loop's variable, a length, a parameter, something that was read from memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Atom(pub u32);

/// A product of atoms, sorted; the empty one is 1.
pub type Monomial = Vec<Atom>;

/// Polynomials grow no further than this; what is beyond is an atom of its own.
const TERMS: usize = 24;
const DEGREE: usize = 4;
/// Coefficients stay far from where products of a few of them overflow.
const COEFFICIENT: i128 = 1 << 80;

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Poly {
    terms: BTreeMap<Monomial, i128>,
}

impl Poly {
    pub fn constant(value: i128) -> Self {
        let mut terms = BTreeMap::new();
        if value != 0 {
            terms.insert(Vec::new(), value);
        }
        Self { terms }
    }

    pub fn atom(atom: Atom) -> Self {
        Self { terms: BTreeMap::from([(vec![atom], 1)]) }
    }

    /// `monomial` sorted.
    pub fn monomial(monomial: Monomial, coefficient: i128) -> Self {
        let mut out = Self::default();
        if coefficient != 0 {
            out.terms.insert(monomial, coefficient);
        }
        out
    }

    pub fn terms(&self) -> impl Iterator<Item = (&Monomial, i128)> {
        self.terms.iter().map(|(monomial, coefficient)| (monomial, *coefficient))
    }

    pub fn as_constant(&self) -> Option<i128> {
        match self.terms.len() {
            0 => Some(0),
            1 => self.terms.get(&Vec::new()).copied(),
            _ => None,
        }
    }

    /// The atom that this is, and nothing beside.
    pub fn as_atom(&self) -> Option<Atom> {
        let (monomial, coefficient) = self.terms.first_key_value()?;
        (self.terms.len() == 1 && *coefficient == 1 && monomial.len() == 1).then(|| monomial[0])
    }

    pub fn is_zero(&self) -> bool {
        self.terms.is_empty()
    }

    pub fn atoms(&self) -> impl Iterator<Item = Atom> + '_ {
        self.terms.keys().flatten().copied()
    }

    pub fn mentions(&self, atom: Atom) -> bool {
        self.terms.keys().any(|monomial| monomial.contains(&atom))
    }

    /// The factor of a monomial.
    pub fn coefficient(&self, monomial: &[Atom]) -> i128 {
        self.terms.get(monomial).copied().unwrap_or(0)
    }

    /// `None`: too large to be of use.
    pub fn add(&self, other: &Self) -> Option<Self> {
        self.combine(other, 1)
    }

    pub fn subtract(&self, other: &Self) -> Option<Self> {
        self.combine(other, -1)
    }

    fn combine(&self, other: &Self, factor: i128) -> Option<Self> {
        let mut out = self.clone();
        for (monomial, coefficient) in &other.terms {
            out.accumulate(monomial.clone(), coefficient * factor)?;
        }
        (out.terms.len() <= TERMS).then_some(out)
    }

    pub fn scale(&self, factor: i128) -> Option<Self> {
        self.multiply(&Self::constant(factor))
    }

    pub fn multiply(&self, other: &Self) -> Option<Self> {
        let mut out = Self::default();
        for (left, a) in &self.terms {
            for (right, b) in &other.terms {
                let mut monomial: Monomial = left.iter().chain(right).copied().collect();
                if monomial.len() > DEGREE {
                    return None;
                }
                monomial.sort_unstable();
                out.accumulate(monomial, a.checked_mul(*b)?)?;
            }
        }
        (out.terms.len() <= TERMS).then_some(out)
    }

    fn accumulate(&mut self, monomial: Monomial, value: i128) -> Option<()> {
        let sum = self.coefficient(&monomial).checked_add(value)?;
        if sum.abs() > COEFFICIENT {
            return None;
        }
        if sum == 0 {
            self.terms.remove(&monomial);
        } else {
            self.terms.insert(monomial, sum);
        }
        Some(())
    }

    /// With `atom` replaced.
    pub fn substitute(&self, atom: Atom, by: &Self) -> Option<Self> {
        if !self.mentions(atom) {
            return Some(self.clone());
        }
        let mut out = Self::default();
        for (monomial, coefficient) in &self.terms {
            let mut term = Self::constant(*coefficient);
            for factor in monomial {
                term = term.multiply(&if *factor == atom { by.clone() } else { Self::atom(*factor) })?;
            }
            out = out.add(&term)?;
        }
        Some(out)
    }

    /// With each atom given another name.
    pub fn rename(&self, name: impl Fn(Atom) -> Atom) -> Self {
        let mut out = Self::default();
        for (monomial, coefficient) in &self.terms {
            let mut monomial: Monomial = monomial.iter().map(|atom| name(*atom)).collect();
            monomial.sort_unstable();
            *out.terms.entry(monomial).or_insert(0) += coefficient;
        }
        out.terms.retain(|_, coefficient| *coefficient != 0);
        out
    }

    /// `self = atom * quotient + rest`, the rest without the atom.
    pub fn divide(&self, atom: Atom) -> (Self, Self) {
        let (mut quotient, mut rest) = (Self::default(), Self::default());
        for (monomial, coefficient) in &self.terms {
            match monomial.iter().position(|factor| *factor == atom) {
                Some(place) => {
                    let mut monomial = monomial.clone();
                    monomial.remove(place);
                    quotient.terms.insert(monomial, *coefficient);
                }
                None => {
                    rest.terms.insert(monomial.clone(), *coefficient);
                }
            }
        }
        (quotient, rest)
    }

    /// All coefficients divided: where the divisor is one of all of them.
    pub fn shrink(&self, divisor: i128) -> Self {
        Self { terms: self.terms.iter().map(|(monomial, c)| (monomial.clone(), c / divisor)).collect() }
    }

    /// The value, where all atoms have one.
    pub fn evaluate(&self, value: impl Fn(Atom) -> Option<i128>) -> Option<i128> {
        let mut sum = 0_i128;
        for (monomial, coefficient) in &self.terms {
            let mut product = *coefficient;
            for atom in monomial {
                product = product.checked_mul(value(*atom)?)?;
            }
            sum = sum.checked_add(product)?;
        }
        Some(sum)
    }
}

/// What holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fact {
    /// At least zero.
    AtLeastZero(Poly),
    Zero(Poly),
    NotZero(Poly),
}

impl Fact {
    pub fn poly(&self) -> &Poly {
        match self {
            Self::AtLeastZero(poly) | Self::Zero(poly) | Self::NotZero(poly) => poly,
        }
    }

    pub fn map(&self, f: impl Fn(&Poly) -> Option<Poly>) -> Option<Self> {
        Some(match self {
            Self::AtLeastZero(poly) => Self::AtLeastZero(f(poly)?),
            Self::Zero(poly) => Self::Zero(f(poly)?),
            Self::NotZero(poly) => Self::NotZero(f(poly)?),
        })
    }

    /// `left <= right`.
    pub fn at_most(left: &Poly, right: &Poly) -> Option<Self> {
        right.subtract(left).map(Self::AtLeastZero)
    }

    /// `left < right`.
    pub fn less(left: &Poly, right: &Poly) -> Option<Self> {
        right.subtract(left)?.subtract(&Poly::constant(1)).map(Self::AtLeastZero)
    }

    pub fn holds(&self, value: impl Fn(Atom) -> Option<i128>) -> Option<bool> {
        let value = self.poly().evaluate(value)?;
        Some(match self {
            Self::AtLeastZero(_) => value >= 0,
            Self::Zero(_) => value == 0,
            Self::NotZero(_) => value != 0,
        })
    }
}
