//! Distributions that need a loop. Their text calls functions of `math` by name (`super::needs`).
//!
//! Each loop ends whatever the arguments are: comparisons are such that nan is accepted.

use crate::ir::Draw;

/// What several of them call.
pub const COMMON: &str = include_str!("rejection.ll");

pub const DECLARATIONS: [&str; 2] =
    ["declare double @llvm.sqrt.f64(double)", "declare double @llvm.floor.f64(double)"];

/// None: it is a formula.
pub const fn text(draw: Draw) -> Option<&'static str> {
    match draw {
        Draw::Gamma => Some(GAMMA),
        Draw::ChiSquare => Some(CHI_SQUARE),
        Draw::StandardT => Some(STANDARD_T),
        Draw::Beta => Some(BETA),
        Draw::Poisson => Some(POISSON),
        Draw::Binomial => Some(BINOMIAL),
        Draw::VonMises => Some(VON_MISES),
        _ => None,
    }
}

const GAMMA: &str = "
define internal double @mh.random.gamma(ptr %state, double %shape, double %scale) nounwind {
  %one = call double @mh.random.gamma.one(ptr %state, double %shape)
  %result = fmul double %one, %scale
  ret double %result
}
";

const CHI_SQUARE: &str = "
define internal double @mh.random.chisquare(ptr %state, double %degrees) nounwind {
  %half = fmul double %degrees, 0.5
  %one = call double @mh.random.gamma.one(ptr %state, double %half)
  %result = fmul double %one, 2.0
  ret double %result
}
";

const STANDARD_T: &str = "
define internal double @mh.random.standardt(ptr %state, double %degrees) nounwind {
  %x = call double @mh.random.normal(ptr %state, double 0.0, double 1.0)
  %half = fmul double %degrees, 0.5
  %g = call double @mh.random.gamma.one(ptr %state, double %half)
  %ratio = fdiv double %half, %g
  %root = call double @llvm.sqrt.f64(double %ratio)
  %result = fmul double %x, %root
  ret double %result
}
";

/// x / (x + y) of two gammas, through the logarithm of y / x: right for tiny shapes, where both underflow.
const BETA: &str = "
define internal double @mh.random.beta(ptr %state, double %a, double %b) nounwind {
  %x = call { double, double } @mh.random.gamma.parts(ptr %state, double %a)
  %y = call { double, double } @mh.random.gamma.parts(ptr %state, double %b)
  %xv = extractvalue { double, double } %x, 0
  %xe = extractvalue { double, double } %x, 1
  %yv = extractvalue { double, double } %y, 0
  %ye = extractvalue { double, double } %y, 1
  %quotient = fdiv double %yv, %xv
  %difference = fsub double %ye, %xe
  %power = call double @mh.exp.f64(double %difference)
  %ratio = fmul double %quotient, %power
  %below = fadd double %ratio, 1.0
  %result = fdiv double 1.0, %below
  ret double %result
}
";

/// Below 10: from 0 upwards until the probabilities sum to u. From 10 on: Hörmann's PTRS, with the logarithm of the probability of k
/// relative to the mean's, by log1p and Stirling's series, so that large means lose nothing.
const POISSON: &str = "
define internal i64 @mh.random.poisson(ptr %state, double %mean) nounwind {
entry:
  %large = fcmp oge double %mean, 10.0
  br i1 %large, label %setup, label %small
small:
  %u0 = call double @mh.random.unit(ptr %state)
  %negative = fneg double %mean
  %p0 = call double @mh.exp.f64(double %negative)
  br label %count
count:
  %u = phi double [ %u0, %small ], [ %u1, %step ]
  %p = phi double [ %p0, %small ], [ %p1, %step ]
  %k = phi double [ 0.0, %small ], [ %k1, %step ]
  %beyond = fcmp oge double %u, %p
  %end = fcmp olt double %k, 1000.0
  %further = and i1 %beyond, %end
  br i1 %further, label %step, label %counted
step:
  %u1 = fsub double %u, %p
  %k1 = fadd double %k, 1.0
  %pm = fmul double %p, %mean
  %p1 = fdiv double %pm, %k1
  br label %count
counted:
  %few = fptosi double %k to i64
  ret i64 %few
setup:
  %root = call double @llvm.sqrt.f64(double %mean)
  %b0 = fmul double %root, 2.53
  %b = fadd double %b0, 0.931
  %a0 = fmul double %b, 0.02483
  %a = fadd double %a0, -0.059
  %bm = fadd double %b, -3.4
  %ia0 = fdiv double 1.1328, %bm
  %ia = fadd double %ia0, 1.1239
  %bv = fadd double %b, -2.0
  %vr0 = fdiv double 3.6224, %bv
  %vr = fsub double 0.9277, %vr0
  %a2 = fmul double %a, 2.0
  br label %again
again:
  %uu = call double @mh.random.unit(ptr %state)
  %w = fadd double %uu, -0.5
  %v0 = call double @mh.random.unit(ptr %state)
  %v = fsub double 1.0, %v0
  %minus = fneg double %w
  %is.minus = fcmp olt double %w, 0.0
  %size = select i1 %is.minus, double %minus, double %w
  %us = fsub double 0.5, %size
  %s0 = fdiv double %a2, %us
  %s1 = fadd double %s0, %b
  %s2 = fmul double %s1, %w
  %s3 = fadd double %s2, %mean
  %s4 = fadd double %s3, 0.43
  %n = call double @llvm.floor.f64(double %s4)
  %inner = fcmp oge double %us, 0.07
  %under = fcmp ole double %v, %vr
  %quick = and i1 %inner, %under
  br i1 %quick, label %done, label %test
test:
  %below = fcmp olt double %n, 0.0
  br i1 %below, label %again, label %test.edge
test.edge:
  %edge = fcmp olt double %us, 0.013
  %over = fcmp ogt double %v, %us
  %out = and i1 %edge, %over
  br i1 %out, label %again, label %weigh
weigh:
  %uu2 = fmul double %us, %us
  %q0 = fdiv double %a, %uu2
  %q1 = fadd double %q0, %b
  %q2 = fdiv double %ia, %q1
  %q3 = fmul double %q2, %v
  %left = call double @mh.log.f64(double %q3)
  %n1 = fadd double %n, 1.0
  %gap = fsub double %n1, %mean
  %relative = fdiv double %gap, %mean
  %l1 = call double @mh.log1p.f64(double %relative)
  %l2 = fmul double %l1, %n
  %l3 = fsub double %gap, %l2
  %twice.pi = fmul double %n1, 0x401921FB54442D18
  %l4 = call double @mh.log.f64(double %twice.pi)
  %l5 = fmul double %l4, 0.5
  %l6 = fsub double %l3, %l5
  %correction = call double @mh.random.stirling(double %n)
  %right = fsub double %l6, %correction
  %reject = fcmp ogt double %left, %right
  br i1 %reject, label %again, label %done
done:
  %result = call i64 @mh.random.whole(double %n)
  ret i64 %result
}
";

/// With p at most 1/2, else n minus the other. Below a mean of 10: from 0 upwards. From there on: Hörmann's BTRS.
const BINOMIAL: &str = "
define internal i64 @mh.random.binomial(ptr %state, i64 %trials, double %probability) nounwind {
entry:
  %swap = fcmp ogt double %probability, 0.5
  %other = fsub double 1.0, %probability
  %p = select i1 %swap, double %other, double %probability
  %n = sitofp i64 %trials to double
  %q = fsub double 1.0, %p
  %mean = fmul double %n, %p
  %odds = fdiv double %p, %q
  %large = fcmp oge double %mean, 10.0
  br i1 %large, label %setup, label %small
small:
  %u0 = call double @mh.random.unit(ptr %state)
  %minus.p = fneg double %p
  %log.q = call double @mh.log1p.f64(double %minus.p)
  %n.log.q = fmul double %n, %log.q
  %p0 = call double @mh.exp.f64(double %n.log.q)
  br label %count
count:
  %u = phi double [ %u0, %small ], [ %u1, %step ]
  %pk = phi double [ %p0, %small ], [ %p1, %step ]
  %k = phi double [ 0.0, %small ], [ %k1, %step ]
  %beyond = fcmp oge double %u, %pk
  %limit = fcmp olt double %k, 1000.0
  %inside = fcmp olt double %k, %n
  %f0 = and i1 %beyond, %limit
  %further = and i1 %f0, %inside
  br i1 %further, label %step, label %done
step:
  %u1 = fsub double %u, %pk
  %rest = fsub double %n, %k
  %k1 = fadd double %k, 1.0
  %r0 = fmul double %pk, %odds
  %r1 = fmul double %r0, %rest
  %p1 = fdiv double %r1, %k1
  br label %count
setup:
  %variance = fmul double %mean, %q
  %deviation = call double @llvm.sqrt.f64(double %variance)
  %b0 = fmul double %deviation, 2.53
  %b = fadd double %b0, 1.15
  %a0 = fmul double %b, 0.0248
  %a1 = fadd double %a0, -0.0873
  %a2 = fmul double %p, 0.01
  %a = fadd double %a1, %a2
  %c = fadd double %mean, 0.5
  %vr0 = fdiv double 4.2, %b
  %vr = fsub double 0.92, %vr0
  %al0 = fdiv double 5.1, %b
  %al1 = fadd double %al0, 2.83
  %alpha = fmul double %al1, %deviation
  %n1 = fadd double %n, 1.0
  %m0 = fmul double %n1, %p
  %m = call double @llvm.floor.f64(double %m0)
  %nm = fsub double %n, %m
  %fm = call double @mh.random.stirling(double %m)
  %fnm = call double @mh.random.stirling(double %nm)
  %m1 = fadd double %m, 1.0
  %nm1 = fadd double %nm, 1.0
  %h0 = fdiv double %m1, %nm1
  %h1 = fdiv double %h0, %odds
  %h2 = call double @mh.log.f64(double %h1)
  %mh = fadd double %m, 0.5
  %h3 = fmul double %mh, %h2
  %h4 = fadd double %h3, %fm
  %h = fadd double %h4, %fnm
  %a.twice = fmul double %a, 2.0
  br label %again
again:
  %uu = call double @mh.random.unit(ptr %state)
  %w = fadd double %uu, -0.5
  %v0 = call double @mh.random.unit(ptr %state)
  %v = fsub double 1.0, %v0
  %minus = fneg double %w
  %is.minus = fcmp olt double %w, 0.0
  %size = select i1 %is.minus, double %minus, double %w
  %us = fsub double 0.5, %size
  %s0 = fdiv double %a.twice, %us
  %s1 = fadd double %s0, %b
  %s2 = fmul double %s1, %w
  %s3 = fadd double %s2, %c
  %x = call double @llvm.floor.f64(double %s3)
  %below = fcmp olt double %x, 0.0
  %above = fcmp ogt double %x, %n
  %outside = or i1 %below, %above
  br i1 %outside, label %again, label %test
test:
  %inner = fcmp oge double %us, 0.07
  %under = fcmp ole double %v, %vr
  %quick = and i1 %inner, %under
  br i1 %quick, label %done, label %weigh
weigh:
  %uu2 = fmul double %us, %us
  %q0 = fdiv double %a, %uu2
  %q1 = fadd double %q0, %b
  %q2 = fdiv double %alpha, %q1
  %q3 = fmul double %q2, %v
  %left = call double @mh.log.f64(double %q3)
  %nx = fsub double %n, %x
  %nx1 = fadd double %nx, 1.0
  %gap = fsub double %x, %m
  %relative = fdiv double %gap, %nx1
  %l0 = call double @mh.log1p.f64(double %relative)
  %l1 = fmul double %n1, %l0
  %x1 = fadd double %x, 1.0
  %l2 = fdiv double %nx1, %x1
  %l3 = fmul double %l2, %odds
  %l4 = call double @mh.log.f64(double %l3)
  %xh = fadd double %x, 0.5
  %l5 = fmul double %xh, %l4
  %fx = call double @mh.random.stirling(double %x)
  %fnx = call double @mh.random.stirling(double %nx)
  %g0 = fadd double %h, %l1
  %g1 = fadd double %g0, %l5
  %g2 = fsub double %g1, %fx
  %right = fsub double %g2, %fnx
  %reject = fcmp ogt double %left, %right
  br i1 %reject, label %again, label %done
done:
  %value = phi double [ %k, %count ], [ %x, %test ], [ %x, %weigh ]
  %int = call i64 @mh.random.whole(double %value)
  %back = sub i64 %trials, %int
  %result = select i1 %swap, i64 %back, i64 %int
  ret i64 %result
}
";

/// Best and Fisher; a kappa that small that it does not matter is the circle, a large one a normal number.
const VON_MISES: &str = "
define internal double @mh.random.vonmises(ptr %state, double %mode, double %kappa) nounwind {
entry:
  %flat = fcmp olt double %kappa, 0x3E45798EE2308C3A
  br i1 %flat, label %circle, label %size
circle:
  %uc = call double @mh.random.unit(ptr %state)
  %uc2 = fmul double %uc, 2.0
  %uc3 = fadd double %uc2, -1.0
  %whole = fmul double %uc3, 0x400921FB54442D18
  br label %wrap
size:
  %steep = fcmp ogt double %kappa, 1.0e6
  br i1 %steep, label %narrow, label %setup
narrow:
  %inverse = fdiv double 1.0, %kappa
  %deviation = call double @llvm.sqrt.f64(double %inverse)
  %near = call double @mh.random.normal(ptr %state, double 0.0, double %deviation)
  br label %wrap
setup:
  %k2 = fmul double %kappa, 2.0
  %k4 = fmul double %k2, %k2
  %t0 = fadd double %k4, 1.0
  %t1 = call double @llvm.sqrt.f64(double %t0)
  %tau = fadd double %t1, 1.0
  %rho0 = fmul double %tau, 2.0
  %rho1 = call double @llvm.sqrt.f64(double %rho0)
  %rho2 = fsub double %tau, %rho1
  %rho = fdiv double %rho2, %k2
  %s0 = fmul double %rho, %rho
  %s1 = fadd double %s0, 1.0
  %s2 = fmul double %rho, 2.0
  %exact = fdiv double %s1, %s2
  ; The formula cancels for small kappa: its series there.
  %sm0 = fdiv double 1.0, %kappa
  %series = fadd double %sm0, %kappa
  %tiny = fcmp olt double %kappa, 1.0e-5
  %s = select i1 %tiny, double %series, double %exact
  br label %again
again:
  %u = call double @mh.random.unit(ptr %state)
  %turn = fmul double %u, 0x400921FB54442D18
  %z = call double @mh.cos.f64(double %turn)
  %w0 = fmul double %s, %z
  %w1 = fadd double %w0, 1.0
  %w2 = fadd double %s, %z
  %w = fdiv double %w1, %w2
  %y0 = fsub double %s, %w
  %y = fmul double %kappa, %y0
  %v0 = call double @mh.random.unit(ptr %state)
  %v = fsub double 1.0, %v0
  %a0 = fsub double 2.0, %y
  %a = fmul double %y, %a0
  %quick = fcmp oge double %a, %v
  br i1 %quick, label %side, label %test
test:
  %b0 = fdiv double %y, %v
  %b1 = call double @mh.log.f64(double %b0)
  %b2 = fadd double %b1, 1.0
  %reject = fcmp olt double %b2, %y
  br i1 %reject, label %again, label %side
side:
  %angle = call double @mh.acos.f64(double %w)
  %coin = call double @mh.random.unit(ptr %state)
  %left = fcmp olt double %coin, 0.5
  %opposite = fneg double %angle
  %turned = select i1 %left, double %opposite, double %angle
  br label %wrap
wrap:
  %part = phi double [ %whole, %circle ], [ %near, %narrow ], [ %turned, %side ]
  %sum = fadd double %part, %mode
  %result = call double @mh.remainder.f64(double %sum, double 0x401921FB54442D18)
  ret double %result
}
";
