//! Pictures that are small as files and claim, or unpack to, very much; animations and many pages.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use fer_data::Picture;
use fer_trials::{Effort, Trial};
use image::{DynamicImage, GrayImage, ImageFormat, Luma};
use rayon::prelude::*;

use crate::bombs;
use crate::memory::{peak, within};

pub(crate) const TRIALS: [Trial; 3] = [
    Trial {
        name: "pictures::bombs",
        promise: "a picture of any bytes is decoded or refused with a reason that names it, in seconds and in \
                  at most 1.6 GiB, whatever it claims and unpacks to",
        run: bombs,
    },
    Trial {
        name: "pictures::many_at_once",
        promise: "a folder of the largest pictures takes no more memory on many threads than on two: together \
                  they hold at most 2.5 GiB",
        run: many_at_once,
    },
    Trial {
        name: "pictures::many_frames",
        promise: "of an animation the first frame counts, of many pages the first, and the rest costs nothing",
        run: many_frames,
    },
];

/// What decoding one picture may hold at once, in bytes.
const MOST: usize = 1640 << 20;

/// What decoding on all threads may hold at once, in bytes.
const MOST_TOGETHER: usize = 2560 << 20;

fn bombs(_: &Effort) -> Result<String> {
    let all = bombs::pictures();
    let (mut refused, mut most, mut longest) = (0, 0, Duration::ZERO);
    for bomb in &all {
        let start = Instant::now();
        let (decoded, held) = peak(|| Picture::decode(&bomb.bytes, bomb.name));
        let took = start.elapsed();
        if let Err(error) = decoded {
            let said = error.to_string();
            ensure!(said.starts_with(bomb.name) && said.len() < 600, "{said}");
            refused += 1;
        }
        ensure!(
            held <= MOST,
            "{}: {held} bytes were held at once",
            bomb.name
        );
        ensure!(took < Duration::from_secs(120), "{}: {took:?}", bomb.name);
        (most, longest) = (most.max(held), longest.max(took));
    }
    Ok(format!(
        "{} files of 7 formats, {refused} refused, at most {} MB and {:.1} s for one",
        all.len(),
        most / 1_000_000,
        longest.as_secs_f64()
    ))
}

fn many_at_once(effort: &Effort) -> Result<String> {
    let threads = if effort.long { 16 } else { 6 };
    let bytes = large_png();
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()?;
    let decode = |number: usize| Picture::decode(&bytes, &format!("{number}.png"));
    let decoded = within("huge pictures", MOST_TOGETHER, || {
        pool.install(|| (0..threads).into_par_iter().map(decode).collect::<Vec<_>>())
    })?;
    ensure!(decoded.iter().all(Result::is_ok), "{decoded:?}");
    let megabytes = MOST_TOGETHER >> 20;
    Ok(format!(
        "{threads} pictures of 12,000 a side in colour on {threads} threads: below {megabytes} MiB"
    ))
}

/// A picture of 412 MiB.
fn large_png() -> Vec<u8> {
    let image = image::RgbImage::new(12_000, 12_000);
    encoded(&image.into(), ImageFormat::Png)
}

fn many_frames(effort: &Effort) -> Result<String> {
    let frames = if effort.long { 1_000_000 } else { 100_000 };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/pictures/animated.gif");
    let (first, mut gif) = (Picture::open(&path)?, fs::read(&path)?);
    gif.pop();
    for _ in 0..frames {
        gif.extend(b",\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0");
    }
    gif.push(b';');
    let bound = 4 << 20;
    let animated = within("an animation", bound, || Picture::decode(&gif, "long.gif"))??;
    ensure!(animated == first, "not the first frame");
    let pages = pages(frames);
    let page = within("pages", bound, || Picture::decode(&pages, "long.tiff"))??;
    ensure!(
        page.pixels().iter().all(|&value| value == 10),
        "not the first page"
    );
    Ok(format!(
        "a GIF of {frames} frames, a TIFF of {frames} pages"
    ))
}

/// A TIFF whose first page is of value 10, and the others of nothing.
fn pages(count: usize) -> Vec<u8> {
    let first = GrayImage::from_pixel(48, 48, Luma([10]));
    let mut tiff = encoded(&first.into(), ImageFormat::Tiff);
    let directory = u32::from_le_bytes([tiff[4], tiff[5], tiff[6], tiff[7]]) as usize;
    let entries = u16::from_le_bytes([tiff[directory], tiff[directory + 1]]) as usize;
    let next = directory + 2 + 12 * entries;
    let start = tiff.len() as u32;
    tiff[next..next + 4].copy_from_slice(&start.to_le_bytes());
    for page in 0..count as u32 {
        tiff.extend(0u16.to_le_bytes());
        tiff.extend((start + 6 * (page + 1)).to_le_bytes());
    }
    tiff
}

fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}
