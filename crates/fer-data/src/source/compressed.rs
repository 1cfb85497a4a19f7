use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use crate::regular::open_regular;

/// How many times its own length a packed table may unpack to, beyond [`FREE`]: fer2013.csv has three.
const MOST_TIMES: u64 = 200;

/// Bytes that any packed table may unpack to.
const FREE: u64 = 64 << 20;

/// Opens a file that is plain or packed by gzip or zstd, told by its first bytes.
/// The reader is for large reads; who reads little at a time puts a buffer over it. It fails where a few
/// bytes unpack to more than any table that is worth packing.
pub(crate) fn open(path: &Path) -> io::Result<Box<dyn Read + Send>> {
    let (mut file, packed) = open_regular(path)?;
    let mut magic = [0; 4];
    let length = read_up_to(&mut file, &mut magic)?;
    file.rewind()?;
    let buffered = |file| BufReader::with_capacity(1 << 18, file);
    Ok(match &magic[..length] {
        [0x1f, 0x8b, ..] => Box::new(Unpacked::of(MultiGzDecoder::new(buffered(file)), packed)),
        [0x28, 0xb5, 0x2f, 0xfd] => {
            let reader = zstd::stream::read::Decoder::with_buffer(buffered(file))?;
            Box::new(Unpacked::of(reader, packed))
        }
        _ => Box::new(file),
    })
}

/// Unpacked text, as far as its length can be believed.
struct Unpacked<R> {
    reader: R,
    packed: u64,
    left: u64,
}

impl<R> Unpacked<R> {
    fn of(reader: R, packed: u64) -> Self {
        Unpacked {
            reader,
            packed,
            left: FREE + MOST_TIMES * packed,
        }
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.left = self.left.checked_sub(count as u64).ok_or_else(|| {
            let packed = self.packed;
            let reason = format!(
                "its {packed} bytes unpack to more than {MOST_TIMES} times as many, as no table's do: \
                 unpack it yourself if it is one"
            );
            io::Error::new(io::ErrorKind::InvalidData, reason)
        })?;
        Ok(count)
    }
}

fn read_up_to(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match file.read(&mut buffer[length..])? {
            0 => break,
            count => length += count,
        }
    }
    Ok(length)
}
