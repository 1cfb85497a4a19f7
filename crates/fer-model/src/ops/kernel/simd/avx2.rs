//! AVX2 with FMA: eight lanes.

use std::arch::x86_64::*;

use super::{Kernel, Simd};

/// Proof that the CPU has AVX2 and FMA.
#[derive(Clone, Copy)]
pub(crate) struct Avx2(());

impl Avx2 {
    /// The proof, where the CPU has the instructions.
    #[inline]
    pub(crate) fn new() -> Option<Self> {
        let has = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        has.then_some(Self(()))
    }
}

/// An intrinsic that touches no memory, for a holder of the proof.
macro_rules! intrinsic {
    ($call:expr) => {
        // SAFETY: `self` is an `Avx2`, made only after the CPU has said that it has the
        // instructions; none of these reads or writes memory.
        unsafe { $call }
    };
}

/// Eight true lanes and eight false ones: read from `8 - count` it is the mask of `count` lanes.
static LANE_MASKS: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];

impl Avx2 {
    /// The mask of the first `count` lanes, at most eight.
    #[inline(always)]
    fn first(self, count: usize) -> __m256i {
        let masks = &LANE_MASKS[8 - count..][..8];
        // SAFETY: the slice holds eight numbers; `self` proves the instruction.
        unsafe { _mm256_loadu_si256(masks.as_ptr().cast()) }
    }
}

impl Simd for Avx2 {
    const LANES: usize = 8;
    const TILE_VECTORS: usize = 2;
    type Vector = __m256;
    type Mask = __m256;

    #[inline(always)]
    fn call<K: Kernel>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "avx2,fma")]
        #[inline(never)]
        fn inside<K: Kernel>(simd: Avx2, kernel: K) -> K::Output {
            kernel.run(simd)
        }
        // SAFETY: the proof `self` says that the CPU has what `inside` is compiled for.
        unsafe { inside(self, kernel) }
    }

    #[inline(always)]
    fn tile_rows(vectors: usize) -> usize {
        if vectors == 1 { 12 } else { 6 }
    }

    #[inline(always)]
    fn splat(self, value: f32) -> __m256 {
        intrinsic!(_mm256_set1_ps(value))
    }

    #[inline(always)]
    fn add(self, a: __m256, b: __m256) -> __m256 {
        intrinsic!(_mm256_add_ps(a, b))
    }

    #[inline(always)]
    fn sub(self, a: __m256, b: __m256) -> __m256 {
        intrinsic!(_mm256_sub_ps(a, b))
    }

    #[inline(always)]
    fn mul(self, a: __m256, b: __m256) -> __m256 {
        intrinsic!(_mm256_mul_ps(a, b))
    }

    #[inline(always)]
    fn div(self, a: __m256, b: __m256) -> __m256 {
        intrinsic!(_mm256_div_ps(a, b))
    }

    #[inline(always)]
    fn sqrt(self, a: __m256) -> __m256 {
        intrinsic!(_mm256_sqrt_ps(a))
    }

    #[inline(always)]
    fn mul_add(self, a: __m256, b: __m256, c: __m256) -> __m256 {
        intrinsic!(_mm256_fmadd_ps(a, b, c))
    }

    #[inline(always)]
    fn neg_mul_add(self, a: __m256, b: __m256, c: __m256) -> __m256 {
        intrinsic!(_mm256_fnmadd_ps(a, b, c))
    }

    #[inline(always)]
    fn relu(self, a: __m256) -> __m256 {
        // The instruction returns its second operand where either is NaN.
        intrinsic!(_mm256_max_ps(_mm256_setzero_ps(), a))
    }

    #[inline(always)]
    fn sum(self, a: __m256) -> f32 {
        intrinsic!({
            let four = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps::<1>(a));
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps::<1>(two, two)))
        })
    }

    #[inline(always)]
    fn beats(self, a: __m256, b: __m256) -> __m256 {
        intrinsic!(_mm256_or_ps(
            _mm256_cmp_ps::<_CMP_GT_OQ>(a, b),
            _mm256_cmp_ps::<_CMP_UNORD_Q>(a, a)
        ))
    }

    #[inline(always)]
    fn is_dead(self, a: __m256) -> __m256 {
        intrinsic!(_mm256_cmp_ps::<_CMP_LE_OQ>(a, _mm256_setzero_ps()))
    }

    #[inline(always)]
    fn equal(self, a: __m256, b: __m256) -> __m256 {
        intrinsic!(_mm256_cmp_ps::<_CMP_EQ_OQ>(a, b))
    }

    #[inline(always)]
    fn select(self, mask: __m256, yes: __m256, no: __m256) -> __m256 {
        intrinsic!(_mm256_blendv_ps(no, yes, mask))
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> __m256 {
        // SAFETY: eight numbers are readable, says the caller; `self` proves the instruction.
        unsafe { _mm256_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn load_part(self, from: *const f32, count: usize) -> __m256 {
        // SAFETY: the mask reads `count` numbers, which the caller vouches for.
        unsafe { _mm256_maskload_ps(from, self.first(count)) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32, vector: __m256) {
        // SAFETY: eight numbers are writable, says the caller; `self` proves the instruction.
        unsafe { _mm256_storeu_ps(to, vector) }
    }

    #[inline(always)]
    unsafe fn store_part(self, to: *mut f32, vector: __m256, count: usize) {
        // SAFETY: the mask writes `count` numbers, which the caller vouches for.
        unsafe { _mm256_maskstore_ps(to, self.first(count), vector) }
    }

    #[inline(always)]
    fn read_bytes(self, bytes: &[u8]) -> __m256 {
        let mut eight = [0u8; 8];
        let count = bytes.len().min(8);
        eight[..count].copy_from_slice(&bytes[..count]);
        let packed = i64::from_le_bytes(eight);
        intrinsic!(_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_cvtsi64_si128(
            packed
        ))))
    }

    #[inline(always)]
    fn write_bytes(self, vector: __m256, bytes: &mut [u8]) {
        let packed = intrinsic!({
            let whole = _mm256_cvtps_epi32(vector);
            let words = _mm_packus_epi32(
                _mm256_castsi256_si128(whole),
                _mm256_extracti128_si256::<1>(whole),
            );
            _mm_cvtsi128_si64(_mm_packus_epi16(words, words))
        });
        let count = bytes.len().min(8);
        bytes[..count].copy_from_slice(&packed.to_le_bytes()[..count]);
    }
}
