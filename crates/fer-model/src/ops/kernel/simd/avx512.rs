//! AVX-512: sixteen lanes.

use std::arch::x86_64::*;

use super::{Kernel, Simd};

/// Proof that the CPU has AVX-512 F, BW, VL and DQ.
#[derive(Clone, Copy)]
pub(crate) struct Avx512(());

impl Avx512 {
    /// The proof, where the CPU has the instructions.
    #[inline]
    pub(crate) fn new() -> Option<Self> {
        let has = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma");
        has.then_some(Self(()))
    }
}

/// An intrinsic that touches no memory, for a holder of the proof.
macro_rules! intrinsic {
    ($call:expr) => {
        // SAFETY: `self` is an `Avx512`, made only after the CPU has said that it has the
        // instructions; none of these reads or writes memory.
        unsafe { $call }
    };
}

/// The mask of the first `count` lanes.
#[inline(always)]
fn first(count: usize) -> __mmask16 {
    ((1u32 << count) - 1) as __mmask16
}

impl Simd for Avx512 {
    const LANES: usize = 16;
    const TILE_VECTORS: usize = 4;
    type Vector = __m512;
    type Mask = __mmask16;

    #[inline(always)]
    fn call<K: Kernel>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma")]
        #[inline(never)]
        fn inside<K: Kernel>(simd: Avx512, kernel: K) -> K::Output {
            kernel.run(simd)
        }
        // SAFETY: the proof `self` says that the CPU has what `inside` is compiled for.
        unsafe { inside(self, kernel) }
    }

    #[inline(always)]
    fn tile_rows(vectors: usize) -> usize {
        match vectors {
            1 | 2 => 12,
            3 => 8,
            _ => 6,
        }
    }

    #[inline(always)]
    fn splat(self, value: f32) -> __m512 {
        intrinsic!(_mm512_set1_ps(value))
    }

    #[inline(always)]
    fn add(self, a: __m512, b: __m512) -> __m512 {
        intrinsic!(_mm512_add_ps(a, b))
    }

    #[inline(always)]
    fn sub(self, a: __m512, b: __m512) -> __m512 {
        intrinsic!(_mm512_sub_ps(a, b))
    }

    #[inline(always)]
    fn mul(self, a: __m512, b: __m512) -> __m512 {
        intrinsic!(_mm512_mul_ps(a, b))
    }

    #[inline(always)]
    fn div(self, a: __m512, b: __m512) -> __m512 {
        intrinsic!(_mm512_div_ps(a, b))
    }

    #[inline(always)]
    fn sqrt(self, a: __m512) -> __m512 {
        intrinsic!(_mm512_sqrt_ps(a))
    }

    #[inline(always)]
    fn mul_add(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        intrinsic!(_mm512_fmadd_ps(a, b, c))
    }

    #[inline(always)]
    fn neg_mul_add(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        intrinsic!(_mm512_fnmadd_ps(a, b, c))
    }

    #[inline(always)]
    fn relu(self, a: __m512) -> __m512 {
        // The instruction returns its second operand where either is NaN.
        intrinsic!(_mm512_max_ps(_mm512_setzero_ps(), a))
    }

    #[inline(always)]
    fn sum(self, a: __m512) -> f32 {
        intrinsic!(_mm512_reduce_add_ps(a))
    }

    #[inline(always)]
    fn beats(self, a: __m512, b: __m512) -> __mmask16 {
        intrinsic!(
            _mm512_cmp_ps_mask::<_CMP_GT_OQ>(a, b) | _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(a, a)
        )
    }

    #[inline(always)]
    fn is_dead(self, a: __m512) -> __mmask16 {
        intrinsic!(_mm512_cmp_ps_mask::<_CMP_LE_OQ>(a, _mm512_setzero_ps()))
    }

    #[inline(always)]
    fn equal(self, a: __m512, b: __m512) -> __mmask16 {
        intrinsic!(_mm512_cmp_ps_mask::<_CMP_EQ_OQ>(a, b))
    }

    #[inline(always)]
    fn select(self, mask: __mmask16, yes: __m512, no: __m512) -> __m512 {
        intrinsic!(_mm512_mask_blend_ps(mask, no, yes))
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> __m512 {
        // SAFETY: sixteen numbers are readable, says the caller; `self` proves the instruction.
        unsafe { _mm512_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn load_part(self, from: *const f32, count: usize) -> __m512 {
        // SAFETY: the mask reads `count` numbers, which the caller vouches for.
        unsafe { _mm512_maskz_loadu_ps(first(count), from) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32, vector: __m512) {
        // SAFETY: sixteen numbers are writable, says the caller; `self` proves the instruction.
        unsafe { _mm512_storeu_ps(to, vector) }
    }

    #[inline(always)]
    unsafe fn store_part(self, to: *mut f32, vector: __m512, count: usize) {
        // SAFETY: the mask writes `count` numbers, which the caller vouches for.
        unsafe { _mm512_mask_storeu_ps(to, first(count), vector) }
    }

    #[inline(always)]
    fn read_bytes(self, bytes: &[u8]) -> __m512 {
        let mask = first(bytes.len().min(16));
        // SAFETY: the mask reads no more than the slice holds; `self` proves the instructions.
        unsafe {
            let packed = _mm_maskz_loadu_epi8(mask, bytes.as_ptr().cast());
            _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(packed))
        }
    }

    #[inline(always)]
    fn write_bytes(self, vector: __m512, bytes: &mut [u8]) {
        let mask = first(bytes.len().min(16));
        // SAFETY: the mask writes no more than the slice holds; `self` proves the instructions.
        unsafe {
            let packed = _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(vector));
            _mm_mask_storeu_epi8(bytes.as_mut_ptr().cast(), mask, packed);
        }
    }
}
