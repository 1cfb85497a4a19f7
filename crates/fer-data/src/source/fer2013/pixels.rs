//! The 2,304 grey values of a row, written as decimal numbers with blanks between them.

use crate::picture::PIXELS;

/// Bytes that are looked at together: one bit of a `u64` each.
const CHUNK: usize = 64;

/// The most digits of a number.
const DIGITS: usize = 3;

/// Some bytes, and before them the last ones of those before.
type Window = [u8; DIGITS + CHUNK];

/// Reads numbers of one to three digits with one blank between two of them, as the published file
/// has them.
///
/// No jump depends on how many digits a number has: the value of the digits before each byte is
/// computed for every byte, and those before blanks are kept.
///
/// `None` for anything else: another number of values, a value above 255, other bytes. What is wrong
/// then is for [`careful`] to say, which may also find nothing wrong.
pub(crate) fn quick(text: &[u8], pixels: &mut [u8; PIXELS]) -> Option<()> {
    // Whether each of the last bytes was a blank, the last in the highest bit.
    let mut blanks_before = u64::MAX;
    let mut count = 0;
    for base in (0..=text.len()).step_by(CHUNK) {
        let inside = base.checked_sub(DIGITS);
        let window = match inside.and_then(|start| text[start..].first_chunk()) {
            Some(window) => window,
            None => &padded(text, base),
        };
        // The first blank after the text ends its last number; the others end none.
        let valid = u64::MAX >> (CHUNK - 1).saturating_sub(text.len() - base);
        let blanks = blanks(window);
        let shifted = |by: u32| blanks << by | blanks_before >> (u64::BITS - by);
        let empty = blanks & shifted(1);
        let long = !(blanks | shifted(1) | shifted(2) | shifted(3));
        let mut values = [0; CHUNK];
        if (empty | long) & valid != 0 || !values_before(window, &mut values) {
            return None;
        }
        blanks_before = blanks;
        let mut ends = blanks & valid;
        let numbers = ends.count_ones() as usize;
        for pixel in pixels.get_mut(count..count + numbers)? {
            *pixel = values[ends.trailing_zeros() as usize % CHUNK];
            ends &= ends.wrapping_sub(1);
        }
        count += numbers;
    }
    (count == PIXELS).then_some(())
}

/// The window at `base`, with blanks for what lies outside the text.
fn padded(text: &[u8], base: usize) -> Window {
    std::array::from_fn(|place| {
        let at = (base + place).checked_sub(DIGITS);
        at.and_then(|at| text.get(at)).copied().unwrap_or(b' ')
    })
}

/// Which bytes of the chunk are blanks, if all others are digits; the first in the lowest bit.
fn blanks(window: &Window) -> u64 {
    let mut mask = 0;
    for (place, word) in window[DIGITS..].as_chunks::<8>().0.iter().enumerate() {
        // The fifth bit tells a digit from a blank.
        let blanks = !(u64::from_le_bytes(*word) >> 4) & 0x0101_0101_0101_0101;
        // Eight bits, eight places apart, come together in the top byte.
        mask |= (blanks.wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * place);
    }
    mask
}

/// The number before each byte of the chunk; whether all bytes are digits or blanks and no number
/// is above 255.
fn values_before(window: &Window, values: &mut [u8; CHUNK]) -> bool {
    const BLANK: u8 = b' ' ^ b'0';
    let mut wrong = false;
    for (place, value) in values.iter_mut().enumerate() {
        let hundreds = window[place] ^ b'0';
        let tens = window[place + 1] ^ b'0';
        let ones = window[place + 2] ^ b'0';
        let byte = window[place + 3] ^ b'0';
        let low = match tens {
            BLANK => ones,
            _ => tens.wrapping_mul(10).wrapping_add(ones),
        };
        let high = match (tens == BLANK) | (hundreds == BLANK) {
            true => 0,
            false => hundreds,
        };
        *value = high.wrapping_mul(100).wrapping_add(low);
        let too_large = (high > 2) | ((high == 2) & (low > 55));
        wrong |= (too_large & (ones != BLANK)) | ((byte > 9) & (byte != BLANK));
    }
    !wrong
}

/// Reads numbers with any blanks between them, and says what is wrong: which value, or how many
/// there are.
pub(crate) fn careful(text: &[u8], pixels: &mut [u8; PIXELS]) -> Result<(), String> {
    let mut count = 0;
    for word in text
        .split(|&byte| byte == b' ')
        .filter(|word| !word.is_empty())
    {
        let value = word.iter().try_fold(0u32, |value, &digit| match digit {
            b'0'..=b'9' if value <= 255 => Some(value * 10 + u32::from(digit - b'0')),
            _ => None,
        });
        let Some(value) = value.and_then(|value| u8::try_from(value).ok()) else {
            return Err(format!(
                "pixel {} is `{}`, expected 0 to 255",
                count + 1,
                super::excerpt(word)
            ));
        };
        if let Some(pixel) = pixels.get_mut(count) {
            *pixel = value;
        }
        count += 1;
    }
    match count {
        PIXELS => Ok(()),
        _ => Err(format!("{count} pixels, expected {PIXELS}")),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use rand::RngExt;

    use super::*;
    use crate::random::stream;

    fn written(values: &[u8]) -> String {
        let words: Vec<String> = values.iter().map(u8::to_string).collect();
        words.join(" ")
    }

    fn quickly(text: &str) -> Option<Vec<u8>> {
        let mut pixels = [0; PIXELS];
        quick(text.as_bytes(), &mut pixels).map(|()| pixels.to_vec())
    }

    fn carefully(text: &str) -> Result<Vec<u8>, String> {
        let mut pixels = [0; PIXELS];
        careful(text.as_bytes(), &mut pixels).map(|()| pixels.to_vec())
    }

    #[test]
    fn every_value_is_read_at_every_offset_within_a_chunk() {
        for seed in 0..300 {
            let mut random = stream(seed, "pixels", 0);
            let widest = [9, 99, 255][seed as usize % 3];
            let values: Vec<u8> = (0..PIXELS)
                .map(|_| random.random_range(0..=widest))
                .collect();
            let text = written(&values);
            assert_eq!(quickly(&text).unwrap(), values);
            assert_eq!(carefully(&text).unwrap(), values);
        }
        for value in 0..=255 {
            assert_eq!(
                quickly(&written(&[value; PIXELS])).unwrap(),
                [value; PIXELS]
            );
        }
    }

    #[test]
    fn what_is_not_plain_is_left_to_the_careful_reader_wherever_it_stands() {
        let values: Vec<u8> = (0..PIXELS).map(|place| (place * 7 % 256) as u8).collect();
        let words: Vec<String> = values.iter().map(u8::to_string).collect();
        let with = |place: usize, word: &str| {
            let mut words = words.clone();
            words[place] = word.into();
            words.join(" ")
        };
        for place in [0, 1, 20, 63, 64, 1000, PIXELS - 2, PIXELS - 1] {
            for word in [
                "256",
                "999",
                "-1",
                "1.",
                "\t5",
                "0012",
                "x",
                "300000000000",
                "1\u{b0}",
            ] {
                let text = with(place, word);
                assert_eq!(quickly(&text), None, "{word} at {place}");
                if word != "0012" {
                    let refused = carefully(&text).unwrap_err();
                    let start = format!("pixel {} is `", place + 1);
                    assert!(refused.starts_with(&start), "{word} at {place}: {refused}");
                }
            }
            let padded = with(place, &format!(" {}  ", words[place]));
            assert_eq!(quickly(&padded), None);
            assert_eq!(carefully(&padded).unwrap(), values);
        }
    }

    #[test]
    fn another_number_of_values_is_refused_with_their_count() {
        for count in [0, 1, 19, PIXELS - 1, PIXELS + 1, 3 * PIXELS] {
            let text = written(&vec![7; count]);
            assert_eq!(quickly(&text), None, "{count}");
            let refused = carefully(&text).unwrap_err();
            assert_eq!(refused, format!("{count} pixels, expected 2304"));
        }
    }
}
