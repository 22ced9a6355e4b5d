//! Functions of the text that are too long to be written where they are used: defined once, where wanted.

/// `{ i64, i1 } @mh.power(i64, i64)`: the power, wrapped, and whether it had to be. By squaring; the exponent counts as unsigned.
pub(super) const POWER: &str = "\
define internal { i64, i1 } @mh.power(i64 %base, i64 %exponent) nounwind willreturn memory(none) {
entry:
  br label %loop
loop:
  %left = phi i64 [ %exponent, %entry ], [ %left.next, %next ]
  %factor = phi i64 [ %base, %entry ], [ %factor.next, %next ]
  %factor.over = phi i1 [ false, %entry ], [ %factor.over.next, %next ]
  %result = phi i64 [ 1, %entry ], [ %result.next, %next ]
  %over = phi i1 [ false, %entry ], [ %over.next, %next ]
  %none = icmp eq i64 %left, 0
  br i1 %none, label %done, label %next
next:
  %bit = trunc i64 %left to i1
  %product.both = call { i64, i1 } @llvm.smul.with.overflow.i64(i64 %result, i64 %factor)
  %product = extractvalue { i64, i1 } %product.both, 0
  %product.over = extractvalue { i64, i1 } %product.both, 1
  %lost = or i1 %product.over, %factor.over
  %lost.now = and i1 %lost, %bit
  %result.next = select i1 %bit, i64 %product, i64 %result
  %over.next = or i1 %over, %lost.now
  %square.both = call { i64, i1 } @llvm.smul.with.overflow.i64(i64 %factor, i64 %factor)
  %factor.next = extractvalue { i64, i1 } %square.both, 0
  %square.over = extractvalue { i64, i1 } %square.both, 1
  %factor.over.next = or i1 %factor.over, %square.over
  %left.next = lshr i64 %left, 1
  br label %loop
done:
  %with = insertvalue { i64, i1 } poison, i64 %result, 0
  %both = insertvalue { i64, i1 } %with, i1 %over, 1
  ret { i64, i1 } %both
}
";

/// `double @mh.divide(i64, i64)`: the quotient of two ints, rounded once, as CPython's `long_true_divide`. The divisor is not 0.
///
/// The dividend is shifted to the top of 128 bits, so that the quotient has 64 bits at least; what is left over goes into its last bit, far below
/// the one that rounds; the conversion rounds once, and scaling back is exact.
pub(super) const DIVIDE: &str = "\
define internal double @mh.divide(i64 %a, i64 %b) cold noinline nounwind willreturn memory(none) {
  %sa = icmp slt i64 %a, 0
  %na = sub i64 0, %a
  %ua = select i1 %sa, i64 %na, i64 %a
  %sb = icmp slt i64 %b, 0
  %nb = sub i64 0, %b
  %ub = select i1 %sb, i64 %nb, i64 %b
  %none = icmp eq i64 %ua, 0
  %some.a = select i1 %none, i64 1, i64 %ua
  %zeros = call i64 @llvm.ctlz.i64(i64 %some.a, i1 false)
  %shift = add i64 %zeros, 64
  %wide.shift = zext i64 %shift to i128
  %wa = zext i64 %some.a to i128
  %wb = zext i64 %ub to i128
  %top = shl i128 %wa, %wide.shift
  %q = udiv i128 %top, %wb
  %back = mul i128 %q, %wb
  %rest = sub i128 %top, %back
  %over = icmp ne i128 %rest, 0
  %sticky = zext i1 %over to i128
  %exact = or i128 %q, %sticky
  %wide = uitofp i128 %exact to double
  %exponent = sub i64 1023, %shift
  %bits = shl i64 %exponent, 52
  %scale = bitcast i64 %bits to double
  %value = fmul double %wide, %scale
  %minus = fneg double %value
  %sign = xor i1 %sa, %sb
  %signed = select i1 %sign, double %minus, double %value
  %zero = select i1 %sb, double -0.0, double 0.0
  %result = select i1 %none, double %zero, double %signed
  ret double %result
}
";
