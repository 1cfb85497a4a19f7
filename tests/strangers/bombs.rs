//! Files of a few bytes that claim to be large, or unpack to much.

use std::io::Write;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

/// A file and the name of its kind.
pub(crate) struct Bomb {
    pub(crate) name: &'static str,
    pub(crate) bytes: Vec<u8>,
}

/// Pictures whose claims or contents are out of all proportion.
pub(crate) fn pictures() -> Vec<Bomb> {
    let bomb = |(name, bytes)| Bomb { name, bytes };
    let all = [
        ("60,000 a side.png", png([60_000; 2], 2, &[])),
        (
            "2 thousand million a side.png",
            png([i32::MAX as u32; 2], 2, &[]),
        ),
        (
            "one row of 2 thousand million.png",
            png([i32::MAX as u32, 1], 0, &[]),
        ),
        ("13,000 a side and no pixel.png", png([13_000; 2], 2, &[])),
        (
            "13,000 a side and few pixels.png",
            png([13_000; 2], 2, &zeros(40 << 20)),
        ),
        (
            "19,000 a side of zeros.png",
            png([19_000; 2], 0, &zeros(19_001 * 19_000)),
        ),
        (
            "more zeros than pixels.png",
            png([48; 2], 0, &zeros(1 << 30)),
        ),
        (
            "a thousand million zeros as its profile.png",
            profiled_png(),
        ),
        ("4 thousand million frames.png", animated_png()),
        ("65,535 a side.gif", gif([65_535; 2], 0)),
        ("11,000 a side and one pixel.gif", gif([11_000; 2], 0)),
        ("11,000 a side and remarks.gif", gif([11_000; 2], 20_000)),
        ("65,500 a side.jpg", jpeg([65_500; 2], 0xc0, 0)),
        ("13,000 a side and no pixel.jpg", jpeg([13_000; 2], 0xc0, 0)),
        (
            "13,000 a side of one grey.jpg",
            jpeg([13_000; 2], 0xc0, 400_000),
        ),
        (
            "13,000 a side in scans.jpg",
            jpeg([13_000; 2], 0xc2, 400_000),
        ),
        ("16,384 a side.webp", webp([16_383; 2], 0)),
        ("13,000 a side and no pixel.webp", webp([12_999; 2], 0)),
        (
            "13,000 a side and few pixels.webp",
            webp([12_999; 2], 30_000),
        ),
        (
            "13,000 a side and no pixel.tiff",
            tiff([13_000; 2], 1, 0, &[]),
        ),
        (
            "strips of 4 thousand million bytes.tiff",
            tiff([48; 2], 1, u32::MAX, &[]),
        ),
        (
            "19,000 a side of zeros.tiff",
            tiff([19_000; 2], 8, 0, &zeros(19_000 * 19_000)),
        ),
        ("4 thousand million labels.tiff", endless_tiff()),
        ("a page that follows itself.tiff", circling_tiff()),
        (
            "13,000 a side and no pixel.ppm",
            b"P6 13000 13000 255\n".to_vec(),
        ),
        (
            "13,000 a side in words.ppm",
            b"P3 13000 13000 255\n1 2 3".to_vec(),
        ),
        (
            "a number that does not end.pgm",
            [b"P5 ".as_slice(), &[b'9'; 1 << 20]].concat(),
        ),
        (
            "a remark that does not end.pgm",
            [b"P5 #".as_slice(), &[b'x'; 8 << 20]].concat(),
        ),
        ("13,000 a side and no pixel.bmp", bmp([13_000; 2], 0)),
        ("20,000 a side in runs.bmp", bmp([20_000; 2], 1)),
    ];
    all.into_iter().map(bomb).collect()
}

/// A text packed by gzip and by zstd: `start`, then `times` times `line`.
pub(crate) fn packed(start: &str, line: &[u8], times: usize) -> [Vec<u8>; 2] {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    let mut zstd = zstd::Encoder::new(Vec::new(), 1).unwrap();
    gzip.write_all(start.as_bytes()).unwrap();
    zstd.write_all(start.as_bytes()).unwrap();
    for _ in 0..times {
        gzip.write_all(line).unwrap();
        zstd.write_all(line).unwrap();
    }
    [gzip.finish().unwrap(), zstd.finish().unwrap()]
}

/// So many zeros as a zlib stream.
fn zeros(mut count: usize) -> Vec<u8> {
    let block = vec![0; 1 << 20];
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::fast());
    while count > 0 {
        let part = count.min(block.len());
        packed.write_all(&block[..part]).unwrap();
        count -= part;
    }
    packed.finish().unwrap()
}

fn png_head([width, height]: [u32; 2], colours: u8) -> Vec<u8> {
    let size = [width.to_be_bytes(), height.to_be_bytes()].concat();
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(
        &mut png,
        b"IHDR",
        &[&size[..], &[8, colours, 0, 0, 0]].concat(),
    );
    png
}

fn png(size: [u32; 2], colours: u8, data: &[u8]) -> Vec<u8> {
    let mut png = png_head(size, colours);
    chunk(&mut png, b"IDAT", data);
    chunk(&mut png, b"IEND", &[]);
    png
}

fn profiled_png() -> Vec<u8> {
    let mut png = png_head([48; 2], 0);
    chunk(&mut png, b"iCCP", &[b"p\0\0", &zeros(1 << 30)[..]].concat());
    chunk(&mut png, b"zTXt", &[b"t\0\0", &zeros(1 << 30)[..]].concat());
    chunk(&mut png, b"IDAT", &zeros(49 * 48));
    chunk(&mut png, b"IEND", &[]);
    png
}

fn animated_png() -> Vec<u8> {
    let mut png = png_head([48; 2], 0);
    chunk(&mut png, b"acTL", &[0xff; 8]);
    chunk(&mut png, b"IDAT", &zeros(49 * 48));
    chunk(&mut png, b"IEND", &[]);
    png
}

fn chunk(png: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    png.extend((data.len() as u32).to_be_bytes());
    let start = png.len();
    png.extend(kind);
    png.extend(data);
    let mut sum = flate2::Crc::new();
    sum.update(&png[start..]);
    png.extend(sum.sum().to_be_bytes());
}

/// A canvas of which a frame draws one pixel, behind so many bytes of remarks.
fn gif(size: [u16; 2], remarks: usize) -> Vec<u8> {
    let mut gif = b"GIF89a".to_vec();
    gif.extend(size.map(u16::to_le_bytes).concat());
    gif.extend(b"\x80\0\0\0\0\0\xff\xff\xff!\xfe");
    for _ in 0..remarks.div_ceil(200) {
        gif.push(200);
        gif.extend([b'x'; 200]);
    }
    gif.push(0);
    gif.extend(b",\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;");
    gif
}

/// A whole file with a scan of so many bytes.
fn jpeg([width, height]: [u16; 2], frame: u8, scan: usize) -> Vec<u8> {
    let mut jpeg = vec![0xff, 0xd8, 0xff, 0xdb, 0, 67, 0];
    jpeg.extend([1; 64]);
    jpeg.extend([0xff, frame, 0, 17, 8]);
    jpeg.extend([height.to_be_bytes(), width.to_be_bytes()].concat());
    jpeg.extend([3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0]);
    for table in [0, 0x10] {
        jpeg.extend([0xff, 0xc4, 0, 20, table, 1]);
        jpeg.extend([0; 15]);
        jpeg.push(0);
    }
    let last = if frame == 0xc2 { 0 } else { 63 };
    jpeg.extend([0xff, 0xda, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, last, 0]);
    jpeg.extend(vec![0; scan]);
    jpeg.extend([0xff, 0xd9]);
    jpeg
}

/// A lossless picture of which the size is there and zeros; each side is one more than said.
fn webp([width, height]: [u32; 2], zeros: usize) -> Vec<u8> {
    let size = (width | height << 14).to_le_bytes();
    let data = [&[0x2f][..], &size, &[0; 7], &vec![0; zeros]].concat();
    let mut webp = b"RIFF".to_vec();
    webp.extend((12 + data.len() as u32).to_le_bytes());
    webp.extend(b"WEBPVP8L");
    webp.extend((data.len() as u32).to_le_bytes());
    webp.extend(data);
    webp
}

/// One grey strip. `length` is what it claims where it has no `data`.
fn tiff([width, height]: [u32; 2], compression: u32, length: u32, data: &[u8]) -> Vec<u8> {
    let length = length.max(data.len() as u32);
    let entries = [
        (256, width),
        (257, height),
        (258, 8),
        (259, compression),
        (262, 1),
        (273, 122),
        (278, height),
        (279, length),
        (277, 1),
    ];
    let mut tiff = b"II*\0\x08\0\0\0".to_vec();
    tiff.extend((entries.len() as u16).to_le_bytes());
    for (tag, value) in entries {
        tiff.extend((tag as u16).to_le_bytes());
        tiff.extend(4u16.to_le_bytes());
        tiff.extend(1u32.to_le_bytes());
        tiff.extend(u32::to_le_bytes(value));
    }
    tiff.extend(0u32.to_le_bytes());
    assert_eq!(tiff.len(), 122);
    tiff.extend(data);
    tiff
}

/// Its strips claim to be as many as 32 bits count.
fn endless_tiff() -> Vec<u8> {
    let mut tiff = tiff([48; 2], 1, 100, &[]);
    for place in [5, 7] {
        let count = 8 + 2 + 12 * place + 4;
        tiff[count..count + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    }
    tiff
}

/// Its directory names itself as the one that follows.
fn circling_tiff() -> Vec<u8> {
    let mut tiff = tiff([48; 2], 1, 0, &[7; 48 * 48]);
    tiff[118..122].copy_from_slice(&8u32.to_le_bytes());
    tiff
}

/// Plain pixels or runs, of which there are none.
fn bmp(size: [u32; 2], compression: u32) -> Vec<u8> {
    let bits: u16 = if compression == 0 { 24 } else { 8 };
    let mut bmp = b"BM".to_vec();
    bmp.extend([[0; 4], [0; 4], 1078u32.to_le_bytes(), 40u32.to_le_bytes()].concat());
    bmp.extend(size.map(u32::to_le_bytes).concat());
    bmp.extend([1u16.to_le_bytes(), bits.to_le_bytes()].concat());
    bmp.extend(compression.to_le_bytes());
    bmp.extend([0; 12]);
    bmp.extend(256u32.to_le_bytes());
    bmp.extend([0; 4]);
    bmp.extend([0; 1024]);
    bmp.extend([0, 1]);
    bmp
}
