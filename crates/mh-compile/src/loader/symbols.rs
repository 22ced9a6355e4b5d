//! The functions that kernels may call beside those of `Rt`. All are exact, so results are the same bits on every machine.

use std::ffi::c_void;

/// Address of an allowed function.
pub(super) fn address(name: &str) -> Option<u64> {
    let function: *const () = match name {
        "memset" => libc::memset as unsafe extern "C" fn(*mut c_void, i32, usize) -> *mut c_void as *const (),
        "memcpy" => {
            libc::memcpy as unsafe extern "C" fn(*mut c_void, *const c_void, usize) -> *mut c_void
                as *const ()
        }
        "memmove" => {
            libc::memmove as unsafe extern "C" fn(*mut c_void, *const c_void, usize) -> *mut c_void
                as *const ()
        }
        // What loops that compare memory are turned into; both give a difference, where `bcmp` asks for less.
        "memcmp" | "bcmp" => {
            libc::memcmp as unsafe extern "C" fn(*const c_void, *const c_void, usize) -> i32 as *const ()
        }
        "fmod" => fmod as extern "C" fn(f64, f64) -> f64 as *const (),
        "fmodf" => fmodf as extern "C" fn(f32, f32) -> f32 as *const (),
        // One instruction from x86-64-v3 on.
        "fma" => fma as extern "C" fn(f64, f64, f64) -> f64 as *const (),
        "fmaf" => fmaf as extern "C" fn(f32, f32, f32) -> f32 as *const (),
        // One instruction from x86-64-v2 on.
        "floor" => floor as extern "C" fn(f64) -> f64 as *const (),
        "ceil" => ceil as extern "C" fn(f64) -> f64 as *const (),
        "trunc" => trunc as extern "C" fn(f64) -> f64 as *const (),
        "rint" | "nearbyint" | "roundeven" => even as extern "C" fn(f64) -> f64 as *const (),
        "round" => round as extern "C" fn(f64) -> f64 as *const (),
        "floorf" => floorf as extern "C" fn(f32) -> f32 as *const (),
        "ceilf" => ceilf as extern "C" fn(f32) -> f32 as *const (),
        "truncf" => truncf as extern "C" fn(f32) -> f32 as *const (),
        "rintf" | "nearbyintf" | "roundevenf" => evenf as extern "C" fn(f32) -> f32 as *const (),
        "roundf" => roundf as extern "C" fn(f32) -> f32 as *const (),
        // Integers of 128 bits.
        "__divti3" => divti3 as extern "C" fn(i128, i128) -> i128 as *const (),
        "__modti3" => modti3 as extern "C" fn(i128, i128) -> i128 as *const (),
        "__udivti3" => udivti3 as extern "C" fn(u128, u128) -> u128 as *const (),
        "__umodti3" => umodti3 as extern "C" fn(u128, u128) -> u128 as *const (),
        "__multi3" => multi3 as extern "C" fn(i128, i128) -> i128 as *const (),
        "__floattidf" => floattidf as extern "C" fn(i128) -> f64 as *const (),
        "__floatuntidf" => floatuntidf as extern "C" fn(u128) -> f64 as *const (),
        "__floattisf" => floattisf as extern "C" fn(i128) -> f32 as *const (),
        "__floatuntisf" => floatuntisf as extern "C" fn(u128) -> f32 as *const (),
        "__fixdfti" => fixdfti as extern "C" fn(f64) -> i128 as *const (),
        "__fixunsdfti" => fixunsdfti as extern "C" fn(f64) -> u128 as *const (),
        _ => return None,
    };
    Some(function as usize as u64)
}

extern "C" fn fmod(x: f64, y: f64) -> f64 {
    x % y
}

extern "C" fn fmodf(x: f32, y: f32) -> f32 {
    x % y
}

extern "C" fn fma(x: f64, y: f64, z: f64) -> f64 {
    x.mul_add(y, z)
}

extern "C" fn fmaf(x: f32, y: f32, z: f32) -> f32 {
    x.mul_add(y, z)
}

extern "C" fn floor(x: f64) -> f64 {
    x.floor()
}

extern "C" fn ceil(x: f64) -> f64 {
    x.ceil()
}

extern "C" fn trunc(x: f64) -> f64 {
    x.trunc()
}

extern "C" fn even(x: f64) -> f64 {
    x.round_ties_even()
}

extern "C" fn round(x: f64) -> f64 {
    x.round()
}

extern "C" fn floorf(x: f32) -> f32 {
    x.floor()
}

extern "C" fn ceilf(x: f32) -> f32 {
    x.ceil()
}

extern "C" fn truncf(x: f32) -> f32 {
    x.trunc()
}

extern "C" fn evenf(x: f32) -> f32 {
    x.round_ties_even()
}

extern "C" fn roundf(x: f32) -> f32 {
    x.round()
}

// The emitted code checks divisors; what an unchecked zero would give is of no account, but a panic must not cross into it.

extern "C" fn divti3(x: i128, y: i128) -> i128 {
    if y == 0 { 0 } else { x.wrapping_div(y) }
}

extern "C" fn modti3(x: i128, y: i128) -> i128 {
    if y == 0 { 0 } else { x.wrapping_rem(y) }
}

extern "C" fn udivti3(x: u128, y: u128) -> u128 {
    x.checked_div(y).unwrap_or(0)
}

extern "C" fn umodti3(x: u128, y: u128) -> u128 {
    x.checked_rem(y).unwrap_or(0)
}

extern "C" fn multi3(x: i128, y: i128) -> i128 {
    x.wrapping_mul(y)
}

extern "C" fn floattidf(x: i128) -> f64 {
    x as f64
}

extern "C" fn floatuntidf(x: u128) -> f64 {
    x as f64
}

extern "C" fn floattisf(x: i128) -> f32 {
    x as f32
}

extern "C" fn floatuntisf(x: u128) -> f32 {
    x as f32
}

extern "C" fn fixdfti(x: f64) -> i128 {
    x as i128
}

extern "C" fn fixunsdfti(x: f64) -> u128 {
    x as u128
}
