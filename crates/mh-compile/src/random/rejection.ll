
; Stirling's correction: log k! - (log(2 pi)/2 + (k + 1/2) log(k + 1) - (k + 1)), k >= 0 whole. By the series from 10 on; below, k!
; itself decides.
define internal double @mh.random.stirling(double %k) nounwind memory(none) {
entry:
  br label %head
head:
  %n = phi double [ %k, %entry ], [ %up, %climb ]
  %sum = phi double [ 0.0, %entry ], [ %more, %climb ]
  %n1 = fadd double %n, 1.0
  %n2 = fadd double %n, 2.0
  %small = fcmp olt double %n, 10.0
  br i1 %small, label %climb, label %series
climb:
  ; c(n) - c(n + 1) = (n + 3/2) log((n + 2) / (n + 1)) - 1
  %up = fadd double %n, 1.0
  %inverse = fdiv double 1.0, %n1
  %log = call double @mh.log1p.f64(double %inverse)
  %half = fadd double %n, 1.5
  %product = fmul double %half, %log
  %step = fadd double %product, -1.0
  %more = fadd double %sum, %step
  br label %head
series:
  ; 1/12x - 1/360x^3 + 1/1260x^5 - 1/1680x^7
  %x = fdiv double 1.0, %n1
  %z = fmul double %x, %x
  %t0 = fmul double %z, 0xBF43813813813814
  %t1 = fadd double %t0, 0x3F4A01A01A01A01A
  %t2 = fmul double %t1, %z
  %t3 = fadd double %t2, 0xBF66C16C16C16C17
  %t4 = fmul double %t3, %z
  %t5 = fadd double %t4, 0x3FB5555555555555
  %t6 = fmul double %t5, %x
  %c = fadd double %t6, %sum
  ret double %c
}

; A whole float in 0..2^63 as an int; others at the ends.
define internal i64 @mh.random.whole(double %x) alwaysinline nounwind memory(none) {
  %fits = fcmp olt double %x, 0x43E0000000000000
  %not = fcmp oge double %x, 0.0
  %both = and i1 %fits, %not
  %safe = select i1 %both, double %x, double 0.0
  %int = fptosi double %safe to i64
  %large = fcmp oge double %x, 0x43E0000000000000
  %result = select i1 %large, i64 9223372036854775807, i64 %int
  ret i64 %result
}

; Marsaglia and Tsang's gamma of a shape of at least 1. Comparisons are such that nan is accepted.
define internal double @mh.random.marsaglia(ptr %state, double %shape) nounwind {
entry:
  %d = fadd double %shape, 0xBFD5555555555555
  %nine = fmul double %d, 9.0
  %root = call double @llvm.sqrt.f64(double %nine)
  %c = fdiv double 1.0, %root
  br label %again
again:
  %x = call double @mh.random.normal(ptr %state, double 0.0, double 1.0)
  %cx = fmul double %c, %x
  %v0 = fadd double %cx, 1.0
  %bad = fcmp ole double %v0, 0.0
  br i1 %bad, label %again, label %next
next:
  %v1 = fmul double %v0, %v0
  %v = fmul double %v1, %v0
  %u0 = call double @mh.random.unit(ptr %state)
  %u = fsub double 1.0, %u0
  %log.u = call double @mh.log.f64(double %u)
  %log.v = call double @mh.log.f64(double %v)
  %xx = fmul double %x, %x
  %half = fmul double %xx, 0.5
  %v.less = fsub double 1.0, %v
  %bracket = fadd double %v.less, %log.v
  %dv = fmul double %d, %bracket
  %bound = fadd double %half, %dv
  %reject = fcmp oge double %log.u, %bound
  br i1 %reject, label %again, label %done
done:
  %result = fmul double %d, %v
  ret double %result
}

; Gamma of any shape as (g, log p): the value is g p, p = u^(1 / shape) below 1, else 1.
define internal { double, double } @mh.random.gamma.parts(ptr %state, double %shape) nounwind {
entry:
  %small = fcmp olt double %shape, 1.0
  br i1 %small, label %boost, label %plain
plain:
  %g = call double @mh.random.marsaglia(ptr %state, double %shape)
  br label %done
boost:
  %up = fadd double %shape, 1.0
  %h = call double @mh.random.marsaglia(ptr %state, double %up)
  %u0 = call double @mh.random.unit(ptr %state)
  %u = fsub double 1.0, %u0
  %log = call double @mh.log.f64(double %u)
  %power = fdiv double %log, %shape
  br label %done
done:
  %value = phi double [ %g, %plain ], [ %h, %boost ]
  %exponent = phi double [ 0.0, %plain ], [ %power, %boost ]
  %r0 = insertvalue { double, double } undef, double %value, 0
  %r1 = insertvalue { double, double } %r0, double %exponent, 1
  ret { double, double } %r1
}

define internal double @mh.random.gamma.one(ptr %state, double %shape) nounwind {
entry:
  %parts = call { double, double } @mh.random.gamma.parts(ptr %state, double %shape)
  %value = extractvalue { double, double } %parts, 0
  %exponent = extractvalue { double, double } %parts, 1
  %power = call double @mh.exp.f64(double %exponent)
  %product = fmul double %value, %power
  %zero = fcmp oeq double %shape, 0.0
  %result = select i1 %zero, double 0.0, double %product
  ret double %result
}
