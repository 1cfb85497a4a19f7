use image::GrayImage;

/// The side of a block, and how far the blocks around it lie away.
const BLOCK: usize = 3;

/// The bits of the blocks around the middle one, by row and column of blocks.
const AROUND: [(usize, usize, u8); 8] = [
    (0, 0, 0x80),
    (0, 1, 0x40),
    (0, 2, 0x20),
    (1, 2, 0x08),
    (2, 2, 0x01),
    (2, 1, 0x02),
    (2, 0, 0x04),
    (1, 0, 0x10),
];

/// The locally assembled binary pattern (Yan, Shan, Chen and Gao 2008) at each place of a picture: of nine
/// blocks of 3×3 pixels, which of the eight around are not brighter than the middle one. The place is that
/// of the upper left pixel; the last eight rows and columns have none, and hold 0.
pub(super) struct PatternMap {
    width: usize,
    patterns: Vec<u8>,
}

impl PatternMap {
    /// Of a picture of at least 9 rows and columns.
    pub(super) fn of(grey: &GrayImage) -> Self {
        let (width, height) = (grey.width() as usize, grey.height() as usize);
        let sums = block_sums(grey.as_raw(), width, height);
        let mut patterns = vec![0; width * height];
        let columns = width - (3 * BLOCK - 1);
        for row in 0..height - (3 * BLOCK - 1) {
            let middle = &sums[(row + BLOCK) * width + BLOCK..][..columns];
            let line = &mut patterns[row * width..][..columns];
            for (down, right, bit) in AROUND {
                let other = &sums[(row + down * BLOCK) * width + right * BLOCK..][..columns];
                for ((pattern, middle), other) in line.iter_mut().zip(middle).zip(other) {
                    *pattern |= if middle >= other { bit } else { 0 };
                }
            }
        }
        PatternMap { width, patterns }
    }

    /// That at column `x` of row `y`.
    pub(super) fn at(&self, x: usize, y: usize) -> u8 {
        self.patterns[y * self.width + x]
    }
}

/// The sum of the 3×3 pixels at each place; 0 where they would leave the picture.
fn block_sums(pixels: &[u8], width: usize, height: usize) -> Vec<u16> {
    let mut across = vec![0u16; width * height];
    for (line, sums) in pixels.chunks(width).zip(across.chunks_mut(width)) {
        for (sum, three) in sums.iter_mut().zip(line.windows(BLOCK)) {
            *sum = three.iter().copied().map(u16::from).sum();
        }
    }
    let mut sums = vec![0; width * height];
    for row in 0..height + 1 - BLOCK {
        let line = &mut sums[row * width..][..width];
        for lower in 0..BLOCK {
            let other = &across[(row + lower) * width..][..width];
            for (sum, other) in line.iter_mut().zip(other) {
                *sum += other;
            }
        }
    }
    sums
}
