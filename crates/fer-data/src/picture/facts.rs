use std::fmt;
use std::path::Path;

use image::{ExtendedColorType, ImageFormat};
use serde::{Serialize, Serializer};

use crate::picture::jpeg::Outline;

/// What a picture file was before it became 48×48 and grey.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct PictureFacts {
    /// Pixels from left to right, upright: after EXIF's turning.
    pub width: u32,
    /// Pixels from top to bottom, upright.
    pub height: u32,
    /// How the file stores colours; written as in `rgb 8-bit`.
    pub mode: PictureMode,
    /// The format of the content, whatever the file is called.
    pub format: PictureFormat,
}

/// How a file stores colours, displayed as in `grey 8-bit` or `palette 4-bit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PictureMode {
    /// What the values stand for.
    pub colours: Colours,
    /// Bits of one value: 1, 2, 4, 8, 16 or 32.
    pub bits: u8,
}

impl fmt::Display for PictureMode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&format!("{} {}-bit", self.colours.name(), self.bits))
    }
}

impl Serialize for PictureMode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What the values of a picture file stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Colours {
    /// One value a pixel.
    Grey,
    /// Grey and opacity.
    GreyAlpha,
    /// Red, green and blue, also where a file stores them as luma and chroma.
    Rgb,
    /// Red, green, blue and opacity.
    RgbAlpha,
    /// Numbers of colours in a table.
    Palette,
    /// Four printing inks.
    Cmyk,
}

impl Colours {
    /// `grey`, `grey+alpha`, `rgb`, `rgba`, `palette` or `cmyk`.
    pub fn name(self) -> &'static str {
        match self {
            Colours::Grey => "grey",
            Colours::GreyAlpha => "grey+alpha",
            Colours::Rgb => "rgb",
            Colours::RgbAlpha => "rgba",
            Colours::Palette => "palette",
            Colours::Cmyk => "cmyk",
        }
    }
}

/// The formats that are decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum PictureFormat {
    /// Portable Network Graphics.
    Png,
    /// JPEG, baseline and progressive.
    Jpeg,
    /// Windows bitmap.
    Bmp,
    /// GIF; of an animation the first frame.
    Gif,
    /// WebP, lossy and lossless; of an animation the first frame.
    WebP,
    /// TIFF; the first page.
    Tiff,
    /// PBM, PGM, PPM and PAM, as text or binary.
    Pnm,
}

impl PictureFormat {
    /// All seven.
    pub const ALL: [PictureFormat; 7] = [
        PictureFormat::Png,
        PictureFormat::Jpeg,
        PictureFormat::Bmp,
        PictureFormat::Gif,
        PictureFormat::WebP,
        PictureFormat::Tiff,
        PictureFormat::Pnm,
    ];

    /// The format of a file's content, told by its first bytes; `None` if it is none of the seven.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let guessed = image::guess_format(bytes).ok()?;
        Self::ALL
            .into_iter()
            .find(|format| format.decoder() == guessed)
    }

    /// The format that a file's name promises by its extension; `None` if there is none, or none of
    /// the seven's.
    pub fn of_name(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        Self::ALL
            .into_iter()
            .find(|format| format.extensions().contains(&extension.as_str()))
    }

    /// Its name as people write it.
    pub fn name(self) -> &'static str {
        match self {
            PictureFormat::Png => "PNG",
            PictureFormat::Jpeg => "JPEG",
            PictureFormat::Bmp => "BMP",
            PictureFormat::Gif => "GIF",
            PictureFormat::WebP => "WebP",
            PictureFormat::Tiff => "TIFF",
            PictureFormat::Pnm => "PNM",
        }
    }

    /// The extensions of file names, in lower case and without a dot, the usual one first.
    pub fn extensions(self) -> &'static [&'static str] {
        match self {
            PictureFormat::Png => &["png", "apng"],
            PictureFormat::Jpeg => &["jpg", "jpeg", "jpe", "jfif"],
            PictureFormat::Bmp => &["bmp", "dib"],
            PictureFormat::Gif => &["gif"],
            PictureFormat::WebP => &["webp"],
            PictureFormat::Tiff => &["tiff", "tif"],
            PictureFormat::Pnm => &["pnm", "pbm", "pgm", "ppm", "pam"],
        }
    }

    pub(crate) fn decoder(self) -> ImageFormat {
        match self {
            PictureFormat::Png => ImageFormat::Png,
            PictureFormat::Jpeg => ImageFormat::Jpeg,
            PictureFormat::Bmp => ImageFormat::Bmp,
            PictureFormat::Gif => ImageFormat::Gif,
            PictureFormat::WebP => ImageFormat::WebP,
            PictureFormat::Tiff => ImageFormat::Tiff,
            PictureFormat::Pnm => ImageFormat::Pnm,
        }
    }
}

impl fmt::Display for PictureFormat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl PictureMode {
    /// The mode of a file whose content is of `format`; `decoded` is the decoder's word for it, which
    /// knows no palettes and calls the inks of a JPEG colours.
    pub(crate) fn of(
        bytes: &[u8],
        format: PictureFormat,
        decoded: ExtendedColorType,
        outline: Outline,
    ) -> Self {
        let byte = |at: usize| bytes.get(at).copied().unwrap_or(0);
        let mode = |colours, bits| PictureMode { colours, bits };
        match format {
            // The header's depth and colour type (PNG specification, 11.2.1).
            PictureFormat::Png => match byte(25) {
                0 => mode(Colours::Grey, byte(24)),
                3 => mode(Colours::Palette, byte(24)),
                4 => mode(Colours::GreyAlpha, byte(24)),
                6 => mode(Colours::RgbAlpha, byte(24)),
                _ => mode(Colours::Rgb, byte(24)),
            },
            // The size of the global table of colours.
            PictureFormat::Gif => mode(Colours::Palette, (byte(10) & 7) + 1),
            // Bits a pixel in a BITMAPINFOHEADER and those that grew from it.
            PictureFormat::Bmp if byte(14) >= 40 && (1..=8).contains(&byte(28)) => {
                mode(Colours::Palette, byte(28))
            }
            PictureFormat::Jpeg if outline.components == 4 => mode(Colours::Cmyk, 8),
            PictureFormat::Pnm if matches!(byte(1), b'1' | b'4') => mode(Colours::Grey, 1),
            _ => Self::of_colour_type(decoded),
        }
    }

    fn of_colour_type(colour_type: ExtendedColorType) -> Self {
        use ExtendedColorType as Type;
        let colours = match colour_type {
            Type::Cmyk8 | Type::Cmyk16 => Colours::Cmyk,
            other => match other.channel_count() {
                1 => Colours::Grey,
                2 => Colours::GreyAlpha,
                4 => Colours::RgbAlpha,
                _ => Colours::Rgb,
            },
        };
        let channels = u16::from(colour_type.channel_count().max(1));
        let bits = (colour_type.bits_per_pixel() / channels) as u8;
        PictureMode { colours, bits }
    }
}
