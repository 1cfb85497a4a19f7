use image::{DynamicImage, GrayImage, ImageBuffer, Pixel, Primitive};

/// Grey values of any decoded image.
///
/// The arithmetic is that of OpenCV's `cv2.imread(IMREAD_COLOR)` and `BGR2GRAY`: 16-bit values keep
/// their upper byte, alpha is dropped, and luma (ITU-R BT.601) is summed in 15-bit fixed point. Red,
/// green and blue that are equal stay what they are. Floating-point values count from 0 to 1.
pub(crate) fn grey(image: &DynamicImage) -> GrayImage {
    match image {
        DynamicImage::ImageLuma8(image) => image.clone(),
        DynamicImage::ImageLumaA8(image) => map(image, |channels| channels[0]),
        DynamicImage::ImageRgb8(image) => map(image, luma),
        DynamicImage::ImageRgba8(image) => map(image, luma),
        DynamicImage::ImageLuma16(image) => map(image, |channels| upper_byte(channels[0])),
        DynamicImage::ImageLumaA16(image) => map(image, |channels| upper_byte(channels[0])),
        DynamicImage::ImageRgb16(image) => map(image, upper_luma),
        DynamicImage::ImageRgba16(image) => map(image, upper_luma),
        other => map(&other.to_rgb8(), luma),
    }
}

fn map<P, S>(image: &ImageBuffer<P, Vec<S>>, grey: impl Fn(&[S]) -> u8) -> GrayImage
where
    P: Pixel<Subpixel = S>,
    S: Primitive,
{
    let mut mapped = GrayImage::new(image.width(), image.height());
    let channels = usize::from(P::CHANNEL_COUNT);
    for (target, pixel) in mapped.iter_mut().zip(image.chunks_exact(channels)) {
        *target = grey(pixel);
    }
    mapped
}

/// OpenCV's weights 0.299, 0.587 and 0.114 in units of 2⁻¹⁵ (`modules/imgproc/src/color_rgb.simd.hpp`,
/// `RY15`, `GY15`, `BY15`). They sum to 2¹⁵.
fn luma(channels: &[u8]) -> u8 {
    let [red, green, blue] = [0, 1, 2].map(|channel| u32::from(channels[channel]));
    ((red * 9798 + green * 19235 + blue * 3735 + (1 << 14)) >> 15) as u8
}

fn upper_luma(channels: &[u16]) -> u8 {
    luma(&[0, 1, 2].map(|channel| upper_byte(channels[channel])))
}

fn upper_byte(value: u16) -> u8 {
    (value >> 8) as u8
}
