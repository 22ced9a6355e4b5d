//! Laws of scaling: what so many workers bring, by one or two parameters.

/// What is measured while workers are added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scaling {
    /// The work stays as it is: the ideal time is 1/n.
    Strong,
    /// The work grows with the workers: the ideal time stays.
    Weak,
}

/// A law of the speed-up S(n); with weak scaling the scaled speed-up, n times T(1) / T(n).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Law {
    /// S = 1 / (s + (1 - s) / n): the share s of the work is done by one worker (Amdahl, AFIPS 1967).
    Amdahl,
    /// S = s + (1 - s) n: the work that is shared out grows, the serial part s of the time does not (Gustafson, CACM 1988).
    Gustafson,
    /// S = n / (1 + sigma (n - 1) + kappa n (n - 1)): workers wait for something that they share (contention), and each has to
    /// agree with each other one (coherence; Gunther, Guerrilla Capacity Planning, 2007). Amdahl's law is that without coherence.
    Universal,
}

impl Law {
    pub const ALL: [Self; 3] = [Self::Amdahl, Self::Gustafson, Self::Universal];

    /// The parameters, and between which bounds they lie. Contention past 1 is work that gets slower with each worker.
    pub fn parameters(self) -> &'static [(&'static str, f64, f64)] {
        match self {
            Self::Amdahl | Self::Gustafson => &[("serial", 0.0, 1.0)],
            Self::Universal => &[("contention", 0.0, 10.0), ("coherence", 0.0, 10.0)],
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Amdahl => "Amdahl",
            Self::Gustafson => "Gustafson",
            Self::Universal => "universal scalability law",
        }
    }

    pub fn speedup(self, workers: f64, parameters: &[f64]) -> f64 {
        let n = workers;
        match self {
            Self::Amdahl => 1.0 / (parameters[0] + (1.0 - parameters[0]) / n),
            Self::Gustafson => parameters[0] + (1.0 - parameters[0]) * n,
            Self::Universal => n / (1.0 + parameters[0] * (n - 1.0) + parameters[1] * n * (n - 1.0)),
        }
    }

    /// The derivatives of ln S by the parameters; the second is 0 for a law that has one.
    pub(crate) fn slopes(self, workers: f64, parameters: &[f64]) -> [f64; 2] {
        let n = workers;
        let speedup = self.speedup(n, parameters);
        match self {
            Self::Amdahl => [-(1.0 - 1.0 / n) * speedup, 0.0],
            Self::Gustafson => [(1.0 - n) / speedup, 0.0],
            Self::Universal => [-(n - 1.0) * speedup / n, -(n - 1.0) * speedup],
        }
    }

    /// ln T(n) / T(1).
    pub(crate) fn log_time(self, scaling: Scaling, workers: f64, parameters: &[f64]) -> f64 {
        let work = match scaling {
            Scaling::Strong => 0.0,
            Scaling::Weak => workers.ln(),
        };
        work - self.speedup(workers, parameters).ln()
    }

    /// The number of workers with the greatest speed-up, where there is one: past it each one more costs.
    pub fn peak(self, parameters: &[f64]) -> Option<f64> {
        match self {
            Self::Universal if parameters[1] > 0.0 => {
                Some(((1.0 - parameters[0]).max(0.0) / parameters[1]).sqrt().max(1.0))
            }
            Self::Universal if parameters[0] > 1.0 => Some(1.0),
            _ => None,
        }
    }

    /// What no number of workers exceeds, where there is such a bound.
    pub fn limit(self, parameters: &[f64]) -> Option<f64> {
        match self {
            Self::Amdahl if parameters[0] > 0.0 => Some(1.0 / parameters[0]),
            Self::Universal => match self.peak(parameters) {
                Some(peak) => Some(self.speedup(peak, parameters).max(1.0)),
                None if parameters[0] > 0.0 => Some(1.0 / parameters[0]),
                None => None,
            },
            _ => None,
        }
    }
}

/// The share of the work that seems to be serial, from one speed-up alone (Karp and Flatt, CACM 1990). Where it grows with the
/// workers, what is lost is not a serial part. `workers` more than 1.
pub fn karp_flatt(speedup: f64, workers: f64) -> f64 {
    (1.0 / speedup - 1.0 / workers) / (1.0 - 1.0 / workers)
}
