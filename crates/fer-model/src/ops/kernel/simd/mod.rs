//! Vectors of `f32` for each engine behind one trait, so that every algorithm is written once.
//!
//! A value of a type that is [`Simd`] proves that the machine has the instructions: the types can
//! only be made by asking the CPU. Kernels are `#[inline(always)]` and enter the instruction set
//! through [`Simd::call`], the only function that is compiled with it. No vector may be touched in
//! a closure: a closure is a function without the instruction set, in which every operation is a
//! call.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod plain;

#[cfg(target_arch = "x86_64")]
pub(crate) use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) use avx512::Avx512;
pub(crate) use plain::Plain;

/// A piece of work that is compiled once for every engine.
pub(crate) trait Kernel {
    /// What the work returns.
    type Output;

    /// Does the work. Implementations are `#[inline(always)]`.
    fn run<S: Simd>(self, simd: S) -> Self::Output;
}

/// One engine's vectors.
pub(crate) trait Simd: Copy + Send + Sync + 'static {
    /// Numbers in a vector.
    const LANES: usize;
    /// Vectors side by side in a register tile.
    const TILE_VECTORS: usize;
    /// `LANES` numbers.
    type Vector: Copy;
    /// `LANES` truth values.
    type Mask: Copy;

    /// Runs `kernel` in a function of its own that is compiled with the engine's instructions.
    fn call<K: Kernel>(self, kernel: K) -> K::Output;

    /// How many rows of `vectors` vectors the registers hold.
    fn tile_rows(vectors: usize) -> usize;

    /// `value` in every lane.
    fn splat(self, value: f32) -> Self::Vector;
    /// Sum.
    fn add(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// Difference.
    fn sub(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// Product.
    fn mul(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// Quotient.
    fn div(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// Square root.
    fn sqrt(self, a: Self::Vector) -> Self::Vector;
    /// `a * b + c`, with one rounding where the engine can.
    fn mul_add(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// `c - a * b`, with one rounding where the engine can.
    fn neg_mul_add(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// The larger of each lane and zero; NaN stays NaN.
    fn relu(self, a: Self::Vector) -> Self::Vector;
    /// The sum of the lanes, in a fixed order.
    fn sum(self, a: Self::Vector) -> f32;

    /// Lanes where `a` is greater than `b`, or NaN.
    fn beats(self, a: Self::Vector, b: Self::Vector) -> Self::Mask;
    /// Lanes where `a` is at most zero; false for NaN.
    fn is_dead(self, a: Self::Vector) -> Self::Mask;
    /// Lanes where `a` and `b` are equal.
    fn equal(self, a: Self::Vector, b: Self::Vector) -> Self::Mask;
    /// `yes` where the mask is true, else `no`.
    fn select(self, mask: Self::Mask, yes: Self::Vector, no: Self::Vector) -> Self::Vector;

    /// # Safety
    /// `LANES` numbers must be readable at `from`; no alignment is asked.
    unsafe fn load(self, from: *const f32) -> Self::Vector;
    /// # Safety
    /// `count <= LANES` numbers must be readable at `from`. The other lanes become zero.
    unsafe fn load_part(self, from: *const f32, count: usize) -> Self::Vector;
    /// # Safety
    /// `LANES` numbers must be writable at `to`; no alignment is asked.
    unsafe fn store(self, to: *mut f32, vector: Self::Vector);
    /// # Safety
    /// `count <= LANES` numbers must be writable at `to`.
    unsafe fn store_part(self, to: *mut f32, vector: Self::Vector, count: usize);

    /// Small whole numbers, 0 to 255, from `LANES` bytes.
    fn read_bytes(self, bytes: &[u8]) -> Self::Vector;
    /// Writes lanes that hold whole numbers of 0 to 255 as bytes.
    fn write_bytes(self, vector: Self::Vector, bytes: &mut [u8]);

    /// The first `LANES` numbers of `from`; where there are fewer, zeros follow.
    #[inline(always)]
    fn read(self, from: &[f32]) -> Self::Vector {
        if from.len() >= Self::LANES {
            // SAFETY: the slice holds LANES numbers.
            unsafe { self.load(from.as_ptr()) }
        } else {
            // SAFETY: the slice holds its length, which is below LANES.
            unsafe { self.load_part(from.as_ptr(), from.len()) }
        }
    }

    /// Writes as many lanes as `to` has room for.
    #[inline(always)]
    fn write(self, to: &mut [f32], vector: Self::Vector) {
        if to.len() >= Self::LANES {
            // SAFETY: the slice has room for LANES numbers.
            unsafe { self.store(to.as_mut_ptr(), vector) }
        } else {
            // SAFETY: the slice has room for its length, which is below LANES.
            unsafe { self.store_part(to.as_mut_ptr(), vector, to.len()) }
        }
    }

    /// `LANES` numbers at `from`, or `count` where that is less.
    ///
    /// # Safety
    /// The smaller of `count` and `LANES` numbers must be readable at `from`.
    #[inline(always)]
    unsafe fn load_some(self, from: *const f32, count: usize) -> Self::Vector {
        if count >= Self::LANES {
            // SAFETY: LANES numbers are readable, says the caller.
            unsafe { self.load(from) }
        } else {
            // SAFETY: `count` numbers are readable, says the caller.
            unsafe { self.load_part(from, count) }
        }
    }

    /// Writes `LANES` numbers at `to`, or `count` where that is less.
    ///
    /// # Safety
    /// The smaller of `count` and `LANES` numbers must be writable at `to`.
    #[inline(always)]
    unsafe fn store_some(self, to: *mut f32, vector: Self::Vector, count: usize) {
        if count >= Self::LANES {
            // SAFETY: LANES numbers are writable, says the caller.
            unsafe { self.store(to, vector) }
        } else {
            // SAFETY: `count` numbers are writable, says the caller.
            unsafe { self.store_part(to, vector, count) }
        }
    }
}
