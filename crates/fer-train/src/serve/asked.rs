use axum::http::StatusCode;
use fer_data::LONGEST_SIDE;
use fer_data::face::Bounds;

use crate::serve::refusal::Refusal;

/// The most places that a request may name.
const MOST_PLACES: usize = 16;

/// What the query of a request asks for.
#[derive(Debug, PartialEq)]
pub(super) struct Asked {
    /// Whether faces are looked for.
    pub(super) detect: bool,
    /// Whether they are looked for quickly.
    pub(super) quick: bool,
    /// Where they were a moment ago.
    pub(super) near: Vec<Bounds>,
    /// The share of answers that may be wrong.
    pub(super) risk: Option<f64>,
    /// Whether each face comes along as the network sees it.
    pub(super) pixels: bool,
    /// The class to explain.
    pub(super) class: Option<String>,
}

impl Asked {
    /// What a query says; `explain` tells whether it may name a class.
    pub(super) fn parse(query: Option<&str>, explain: bool) -> Result<Self, Refusal> {
        let mut asked = Asked {
            detect: true,
            quick: false,
            near: Vec::new(),
            risk: None,
            pixels: false,
            class: None,
        };
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            let wrong = |expected: &str| {
                let reason = format!("{name}={value} in the query: expected {expected}");
                Refusal::new(StatusCode::BAD_REQUEST, reason)
            };
            let yes_or_no = || value.parse().map_err(|_| wrong("true or false"));
            match name.as_ref() {
                "detect" => asked.detect = yes_or_no()?,
                "quick" => asked.quick = yes_or_no()?,
                "pixels" => asked.pixels = yes_or_no()?,
                "risk" => {
                    let risk = value.parse().ok().filter(|risk| (0.0..=1.0).contains(risk));
                    asked.risk = Some(risk.ok_or_else(|| wrong("a share from 0 to 1"))?);
                }
                "near" if asked.near.len() == MOST_PLACES => {
                    return Err(wrong("at most 16 places"));
                }
                "near" => {
                    let place = place(&value).ok_or_else(|| wrong("x,y,width,height in pixels"))?;
                    asked.near.push(place);
                }
                "class" if explain => asked.class = Some(value.into_owned()),
                _ => {
                    let class = if explain { ", class" } else { "" };
                    let known = format!("detect, near, pixels, quick, risk{class}");
                    let reason = format!("`{name}` in the query: known are {known}");
                    return Err(Refusal::new(StatusCode::BAD_REQUEST, reason));
                }
            }
        }
        Ok(asked)
    }
}

/// A box in pixels of a picture that can be decoded.
fn place(text: &str) -> Option<Bounds> {
    let number = |number: &str| {
        number
            .parse::<u32>()
            .ok()
            .filter(|pixels| *pixels <= LONGEST_SIDE)
    };
    let mut numbers = text.split(',').map(number);
    let place = Bounds {
        x: numbers.next()??,
        y: numbers.next()??,
        width: numbers.next()??,
        height: numbers.next()??,
    };
    let whole = numbers.next().is_none() && place.width > 0 && place.height > 0;
    whole.then_some(place)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_and_what_it_does_not_say_has_a_default() {
        let nothing = Asked::parse(None, false).unwrap();
        assert!(nothing.detect && !nothing.quick && !nothing.pixels);
        assert_eq!(
            (nothing.near.len(), nothing.risk, nothing.class),
            (0, None, None)
        );
        let query =
            "detect=false&risk=0.1&near=1,2,30,40&near=5%2C6%2C7%2C8&pixels=true&class=a%20b";
        let asked = Asked::parse(Some(query), true).unwrap();
        let place = |[x, y, width, height]: [u32; 4]| Bounds {
            x,
            y,
            width,
            height,
        };
        assert_eq!(asked.near, [place([1, 2, 30, 40]), place([5, 6, 7, 8])]);
        assert_eq!(
            (asked.detect, asked.pixels, asked.risk),
            (false, true, Some(0.1))
        );
        assert_eq!(asked.class.as_deref(), Some("a b"));
    }

    #[test]
    fn what_is_not_understood_is_refused_by_name() {
        let many = "near=1,2,3,4&".repeat(17);
        for (query, named) in [
            ("detect=maybe", "detect=maybe"),
            ("risk=1.5", "risk=1.5"),
            ("risk=NaN", "risk=NaN"),
            ("near=1,2,3", "near=1,2,3"),
            ("near=1,2,0,4", "near=1,2,0,4"),
            ("near=1,2,3,4,5", "near=1,2,3,4,5"),
            ("near=-1,2,3,4", "near=-1,2,3,4"),
            ("near=1,2,4294967295,4", "near=1,2,4294967295,4"),
            ("class=happy", "class"),
            ("risks=0.1", "risks"),
            (many.as_str(), "16 places"),
        ] {
            let refused = format!("{:?}", Asked::parse(Some(query), false).unwrap_err());
            assert!(refused.contains(named), "{query}: {refused}");
        }
    }
}
