//! Arrays of four numbers, written so that the compiler vectorises them on any target.

use super::{Kernel, Simd};

/// Four lanes of plain Rust.
#[derive(Clone, Copy)]
pub(crate) struct Plain;

const LANES: usize = 4;
type Vector = [f32; LANES];

#[inline(always)]
fn zip(a: Vector, b: Vector, operation: impl Fn(f32, f32) -> f32) -> Vector {
    std::array::from_fn(|lane| operation(a[lane], b[lane]))
}

/// A call of `fmaf` costs fifty times a product and a sum, so it is used only where it is one
/// instruction.
const FUSED: bool = cfg!(any(target_arch = "aarch64", target_feature = "fma"));

impl Simd for Plain {
    const LANES: usize = LANES;
    const TILE_VECTORS: usize = 2;
    type Vector = Vector;
    type Mask = [bool; LANES];

    #[inline(never)]
    fn call<K: Kernel>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }

    #[inline(always)]
    fn tile_rows(vectors: usize) -> usize {
        if vectors == 1 { 12 } else { 6 }
    }

    #[inline(always)]
    fn splat(self, value: f32) -> Vector {
        [value; LANES]
    }

    #[inline(always)]
    fn add(self, a: Vector, b: Vector) -> Vector {
        zip(a, b, |a, b| a + b)
    }

    #[inline(always)]
    fn sub(self, a: Vector, b: Vector) -> Vector {
        zip(a, b, |a, b| a - b)
    }

    #[inline(always)]
    fn mul(self, a: Vector, b: Vector) -> Vector {
        zip(a, b, |a, b| a * b)
    }

    #[inline(always)]
    fn div(self, a: Vector, b: Vector) -> Vector {
        zip(a, b, |a, b| a / b)
    }

    #[inline(always)]
    fn sqrt(self, a: Vector) -> Vector {
        a.map(f32::sqrt)
    }

    #[inline(always)]
    fn mul_add(self, a: Vector, b: Vector, c: Vector) -> Vector {
        if FUSED {
            std::array::from_fn(|lane| a[lane].mul_add(b[lane], c[lane]))
        } else {
            std::array::from_fn(|lane| a[lane] * b[lane] + c[lane])
        }
    }

    #[inline(always)]
    fn neg_mul_add(self, a: Vector, b: Vector, c: Vector) -> Vector {
        self.mul_add(a.map(|a| -a), b, c)
    }

    #[inline(always)]
    fn relu(self, a: Vector) -> Vector {
        a.map(|a| if a < 0.0 { 0.0 } else { a })
    }

    #[inline(always)]
    fn sum(self, a: Vector) -> f32 {
        (a[0] + a[2]) + (a[1] + a[3])
    }

    #[inline(always)]
    fn beats(self, a: Vector, b: Vector) -> [bool; LANES] {
        std::array::from_fn(|lane| a[lane] > b[lane] || a[lane].is_nan())
    }

    #[inline(always)]
    fn is_dead(self, a: Vector) -> [bool; LANES] {
        a.map(|a| a <= 0.0)
    }

    #[inline(always)]
    fn equal(self, a: Vector, b: Vector) -> [bool; LANES] {
        std::array::from_fn(|lane| a[lane] == b[lane])
    }

    #[inline(always)]
    fn select(self, mask: [bool; LANES], yes: Vector, no: Vector) -> Vector {
        std::array::from_fn(|lane| if mask[lane] { yes[lane] } else { no[lane] })
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> Vector {
        // SAFETY: four numbers are readable, says the caller; the read asks no alignment.
        unsafe { from.cast::<Vector>().read_unaligned() }
    }

    #[inline(always)]
    unsafe fn load_part(self, from: *const f32, count: usize) -> Vector {
        let mut vector = [0.0; LANES];
        for (lane, value) in vector.iter_mut().enumerate().take(count) {
            // SAFETY: `lane` is below `count`, and that many are readable, says the caller.
            *value = unsafe { from.add(lane).read() };
        }
        vector
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32, vector: Vector) {
        // SAFETY: four numbers are writable, says the caller; the write asks no alignment.
        unsafe { to.cast::<Vector>().write_unaligned(vector) }
    }

    #[inline(always)]
    unsafe fn store_part(self, to: *mut f32, vector: Vector, count: usize) {
        for (lane, value) in vector.into_iter().enumerate().take(count) {
            // SAFETY: `lane` is below `count`, and that many are writable, says the caller.
            unsafe { to.add(lane).write(value) }
        }
    }

    #[inline(always)]
    fn read_bytes(self, bytes: &[u8]) -> Vector {
        let mut vector = [0.0; LANES];
        for (value, byte) in vector.iter_mut().zip(bytes) {
            *value = f32::from(*byte);
        }
        vector
    }

    #[inline(always)]
    fn write_bytes(self, vector: Vector, bytes: &mut [u8]) {
        for (byte, value) in bytes.iter_mut().zip(vector) {
            *byte = value as u8;
        }
    }
}
