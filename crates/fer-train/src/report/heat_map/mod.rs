//! Maps of where a network looks, laid over faces.

mod overlay;

use svg::Document;
use svg::node::element::Group;

use super::canvas::{self, text_width};
use super::drawing::{
    FAINT, INK, SIDE, centred, middle, picture, rectangle, rounded, sheet, shortened, text,
};
use super::error::FigureError;

pub use overlay::colour;

/// A face with the two maps of one class.
#[derive(Clone, Copy, Debug)]
pub struct HeatMaps<'a> {
    /// 48×48 grey pixels row by row, 0 black to 255 white.
    pub face: &'a [u8],
    /// Occlusion sensitivity, 48×48 values row by row; what is below 0 is drawn as 0.
    pub occlusion: &'a [f64],
    /// Grad-CAM, likewise.
    pub grad_cam: &'a [f64],
}

/// What both maps have in a region.
#[derive(Clone, Copy, Debug)]
pub struct Bar<'a> {
    /// The region's name.
    pub name: &'a str,
    /// The densities by occlusion and by Grad-CAM, at least 0; 1 is the face's mean.
    pub densities: [f64; 2],
}

/// A box of a region, drawn on a face.
#[derive(Clone, Copy, Debug)]
pub struct RegionBox<'a> {
    /// The region's name, which stands in each of its boxes.
    pub name: &'a str,
    /// Left, top, right and bottom edge in pixels of the picture, right and bottom excluded.
    pub edges: [usize; 4],
}

const PICTURE: f32 = 192.0;
const GAP: f32 = 14.0;
const SIZE: f32 = 13.0;
const LINE: f32 = 20.0;
const HEAD: f32 = GAP + LINE;
const BARS: f32 = 150.0;
const BAR: f32 = 7.0;
/// Blue and orange of Okabe and Ito, told apart by colour-blind readers.
const INKS: [&str; 2] = ["#0072B2", "#E69F00"];
/// Frames of the regions, of the same palette, each unlike its neighbours.
const FRAMES: [&str; 6] = [
    "#56B4E9", "#E69F00", "#F0E442", "#CC79A7", "#D55E00", "#009E73",
];

/// Three squares side by side as PNG: the face, occlusion over it, and Grad-CAM over it, each map
/// scaled by its own largest value.
///
/// # Errors
/// [`FigureError::PictureLength`] for a face or a map that has not 48×48 values.
pub fn png(maps: &HeatMaps) -> Result<Vec<u8>, FigureError> {
    let width = GAP + 3.0 * (PICTURE + GAP);
    let figure = sheet(width, HEAD + PICTURE + GAP);
    canvas::png(&squares(figure, maps, HEAD)?.to_string(), 2.0)
}

/// The same with a title above, and beside it a bar for each region and method.
///
/// # Errors
/// Those of [`png`].
pub fn explained_png(title: &str, maps: &HeatMaps, bars: &[Bar]) -> Result<Vec<u8>, FigureError> {
    let (left, top) = (GAP + 3.0 * (PICTURE + GAP), LINE + HEAD);
    let names = bars.iter().map(|bar| text_width(bar.name, SIZE));
    let names = names.fold(0.0, f32::max) + GAP;
    let numbers = text_width("00.0", SIZE) + GAP;
    let width = left + names + BARS + numbers;
    let title = shortened(title, SIZE, width - 2.0 * GAP);
    let mut figure = sheet(width, top + PICTURE + GAP).add(text(&title, GAP, GAP + SIZE, SIZE));
    figure = squares(figure, maps, top)?;
    let head = [left, top - LINE / 2.0 + middle(SIZE)];
    figure = figure.add(text("times the face's mean", head[0], head[1], SIZE).set("fill", FAINT));
    let mut x = left;
    for (name, ink) in ["occlusion", "Grad-CAM"].into_iter().zip(INKS) {
        let mark = rectangle(x, head[1] - LINE - 9.0, 9.0, 9.0).set("fill", ink);
        figure = figure
            .add(mark)
            .add(text(name, x + GAP, head[1] - LINE, SIZE));
        x += 2.0 * GAP + text_width(name, SIZE);
    }
    figure = figure.add(bar_list(bars, [left, top], names));
    canvas::png(&figure.to_string(), 2.0)
}

/// The boxes of the regions on a face, as PNG.
///
/// # Errors
/// [`FigureError::PictureLength`] for a face that has not 48×48 pixels.
pub fn regions_png(face: &[u8], boxes: &[RegionBox]) -> Result<Vec<u8>, FigureError> {
    const WIDE: f32 = 480.0;
    let unit = WIDE / SIDE as f32;
    let mut figure = sheet(WIDE, WIDE).add(picture(face, 0, (0.0, 0.0), WIDE)?);
    let mut known: Vec<&str> = Vec::new();
    for region in boxes {
        if !known.contains(&region.name) {
            known.push(region.name);
        }
        let frame = FRAMES[(known.len() - 1) % FRAMES.len()];
        let [left, top, right, bottom] = region.edges.map(|edge| edge as f32 * unit);
        let drawn = rectangle(
            left + 2.0,
            top + 2.0,
            right - left - 4.0,
            bottom - top - 4.0,
        );
        figure = figure.add(
            drawn
                .set("fill", frame)
                .set("fill-opacity", 0.18)
                .set("stroke", frame)
                .set("stroke-width", 3),
        );
        let centre = ((left + right) / 2.0, (top + bottom) / 2.0);
        // Dark letters in a light rim are read on any grey.
        let name = centred(region.name, centre.0, centre.1, 15.0);
        let rim = name.clone().set("stroke", "#FFFFFF").set("stroke-width", 4);
        figure = figure.add(rim).add(name.set("fill", INK));
    }
    canvas::png(&figure.to_string(), 1.0)
}

/// The face and the two overlays, with what they are above them.
fn squares(figure: Document, maps: &HeatMaps, top: f32) -> Result<Document, FigureError> {
    let left = |place: usize| GAP + place as f32 * (PICTURE + GAP);
    let mut figure = figure.add(picture(maps.face, 0, (left(0), top), PICTURE)?);
    for (place, map) in [maps.occlusion, maps.grad_cam].into_iter().enumerate() {
        figure = figure.add(overlay::image(
            maps.face,
            map,
            [left(place + 1), top],
            PICTURE,
        )?);
    }
    for (place, name) in ["picture", "occlusion", "Grad-CAM"].into_iter().enumerate() {
        let x = left(place) + PICTURE / 2.0;
        figure = figure.add(centred(name, x, top - LINE / 2.0, SIZE));
    }
    Ok(figure)
}

/// Two bars a region, and a line at 1.
fn bar_list(bars: &[Bar], [left, top]: [f32; 2], names: f32) -> Group {
    let largest = bars
        .iter()
        .flat_map(|bar| bar.densities)
        .fold(1.0, f64::max);
    let length = |density: f64| (density / largest) as f32 * BARS;
    let step = PICTURE / bars.len().max(1) as f32;
    let mut group = Group::new();
    let x = rounded(left + names + length(1.0));
    let line = svg::node::element::Line::new()
        .set("x1", x)
        .set("x2", x)
        .set("y1", rounded(top))
        .set("y2", rounded(top + PICTURE))
        .set("stroke", FAINT)
        .set("stroke-dasharray", "3 3");
    group = group.add(line);
    for (place, bar) in bars.iter().enumerate() {
        let centre = top + (place as f32 + 0.5) * step;
        group = group.add(text(bar.name, left, centre + middle(SIZE), SIZE));
        for (half, density) in bar.densities.into_iter().enumerate() {
            let y = centre + (half as f32 - 1.0) * (BAR + 1.0);
            let drawn = rectangle(left + names, y, length(density), BAR).set("fill", INKS[half]);
            let number = format!("{density:.1}");
            let beside = left + names + length(density) + 3.0;
            group = group
                .add(drawn)
                .add(text(&number, beside, y + BAR / 2.0 + middle(10.0), 10.0).set("fill", FAINT));
        }
    }
    group
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const GREY: [u8; 2304] = [128; 2304];

    fn rgb(png: &[u8]) -> image::RgbImage {
        image::load_from_memory(png).unwrap().to_rgb8()
    }

    /// A map with something at one pixel alone.
    fn point(row: usize, column: usize) -> Vec<f64> {
        let mut map = vec![0.0; 2304];
        map[row * 48 + column] = 3.0;
        map
    }

    #[test]
    fn each_map_stands_over_its_own_copy_of_the_face() {
        let (upper, lower) = (point(4, 4), point(43, 43));
        let maps = HeatMaps {
            face: &GREY,
            occlusion: &upper,
            grad_cam: &lower,
        };
        let drawn = rgb(&png(&maps).unwrap());
        assert_eq!(drawn.width(), (2.0 * (14.0 + 3.0 * 206.0)) as u32);
        let at = |square: usize, row: usize, column: usize| {
            let x = 2.0 * (14.0 + square as f32 * 206.0 + 4.0 * (column as f32 + 0.5));
            let y = 2.0 * (34.0 + 4.0 * (row as f32 + 0.5));
            drawn.get_pixel(x as u32, y as u32).0
        };
        let grey = at(0, 4, 4);
        assert_eq!(grey, [128; 3]);
        let [red, green, blue] = at(1, 4, 4);
        assert!(red > blue + 60 && green > blue + 60, "{red} {green} {blue}");
        assert_ne!(at(1, 4, 4), at(2, 4, 4));
        assert_eq!(at(1, 4, 4), at(2, 43, 43));
        assert_eq!(at(1, 43, 43), at(2, 4, 4));
    }

    #[test]
    fn a_map_of_another_length_is_refused() {
        let maps = HeatMaps {
            face: &GREY,
            occlusion: &[0.0; 7],
            grad_cam: &[0.0; 2304],
        };
        assert!(matches!(
            png(&maps),
            Err(FigureError::PictureLength { got: 7, .. })
        ));
        assert!(regions_png(&GREY[1..], &[]).is_err());
    }

    #[test]
    fn bars_are_as_long_as_the_densities() {
        let map = point(20, 20);
        let maps = HeatMaps {
            face: &GREY,
            occlusion: &map,
            grad_cam: &map,
        };
        let blue = |density: f64| {
            let bars = [
                Bar {
                    name: "eyes",
                    densities: [density, 0.0],
                },
                Bar {
                    name: "jaw",
                    densities: [0.0, 4.0],
                },
            ];
            let drawn = rgb(&explained_png("happy 98.0 %", &maps, &bars).unwrap());
            drawn
                .pixels()
                .filter(|pixel| pixel.0 == [0, 0x72, 0xB2])
                .count()
        };
        let legend = blue(0.0);
        let (one, two) = (blue(1.0) - legend, blue(2.0) - legend);
        assert!(one > 500 && two.abs_diff(2 * one) < one / 10, "{one} {two}");
    }

    #[test]
    fn boxes_are_drawn_where_they_lie() {
        let boxes = [RegionBox {
            name: "brow",
            edges: [8, 10, 24, 16],
        }];
        let drawn = rgb(&regions_png(&GREY, &boxes).unwrap());
        assert_eq!((drawn.width(), drawn.height()), (480, 480));
        let is_grey = |x, y| drawn.get_pixel(x, y).0 == [128; 3];
        assert!(!is_grey(82, 130) && !is_grey(90, 110));
        assert!(is_grey(70, 130) && is_grey(250, 130) && is_grey(90, 170));
    }
}
