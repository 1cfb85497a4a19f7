use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;

use flate2::read::MultiGzDecoder;

/// Opens a file that is plain or packed by gzip or zstd, told by its first bytes.
/// The reader is for large reads; who reads little at a time puts a buffer over it.
pub(crate) fn open(path: &Path) -> io::Result<Box<dyn Read + Send>> {
    let mut file = File::open(path)?;
    let mut magic = [0; 4];
    let length = read_up_to(&mut file, &mut magic)?;
    file.rewind()?;
    let buffered = |file| BufReader::with_capacity(1 << 18, file);
    Ok(match &magic[..length] {
        [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(buffered(file))),
        [0x28, 0xb5, 0x2f, 0xfd] => {
            Box::new(zstd::stream::read::Decoder::with_buffer(buffered(file))?)
        }
        _ => Box::new(file),
    })
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
