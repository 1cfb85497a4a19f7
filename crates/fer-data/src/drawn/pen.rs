//! Drawing in the frame of a face: smooth curves through points, filled or stroked in greys.

use tiny_skia::{Color, FillRule, Mask, Paint, Path, PathBuilder, Pixmap, Transform};

use super::pose::{Pose, Relief, Spot};
use super::{Part, SIDE, Side};
use crate::expression::Region;

/// Pixels drawn for each pixel of the picture, along each edge.
const DETAIL: usize = 4;

/// A grey that covers what is under it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ink {
    /// From 0, black, to 1, white.
    pub(super) shade: f32,
    /// From 0, nothing, to 1, all of what is under it.
    pub(super) cover: f32,
}

impl Ink {
    pub(super) fn solid(shade: f32) -> Ink {
        Ink { shade, cover: 1.0 }
    }

    pub(super) fn glaze(shade: f32, cover: f32) -> Ink {
        Ink { shade, cover }
    }
}

/// A sheet of paper and the pen over it.
pub(super) struct Pen<'a> {
    pose: &'a Pose,
    sheet: Pixmap,
    mask: Option<Mask>,
    relief: Relief,
    part: Option<[f32; 4]>,
    parts: Vec<Part>,
}

impl<'a> Pen<'a> {
    /// A pen over a sheet of one grey.
    pub(super) fn new(pose: &'a Pose, shade: f32) -> Pen<'a> {
        let edge = (SIDE * DETAIL) as u32;
        let mut sheet = Pixmap::new(edge, edge).expect("the edge is a constant above zero");
        sheet.fill(grey(Ink::solid(shade)));
        Pen {
            pose,
            sheet,
            mask: None,
            relief: Relief::Outline,
            part: None,
            parts: Vec::new(),
        }
    }

    /// Draws what follows on this surface of the head.
    pub(super) fn on(&mut self, relief: Relief) {
        self.relief = relief;
    }

    /// Draws a part of the face: where anything of it lands becomes the part's place.
    pub(super) fn part(&mut self, region: Region, side: Side, draw: impl FnOnce(&mut Self)) {
        self.part = Some([f32::MAX, f32::MAX, f32::MIN, f32::MIN]);
        draw(self);
        let Some(bounds) = self.part.take() else {
            return;
        };
        let known = |part: &&mut Part| part.region == region && part.side == side;
        match self.parts.iter_mut().find(known) {
            Some(part) => part.bounds = union(part.bounds, bounds),
            None => self.parts.push(Part {
                region,
                side,
                bounds,
            }),
        }
    }

    /// Counts points as belonging to the part without drawing them.
    pub(super) fn mark(&mut self, spots: &[Spot]) {
        self.place(spots, 0.0);
    }

    /// Fills the smooth closed curve through the points.
    pub(super) fn fill(&mut self, spots: &[Spot], ink: Ink) {
        let outline = smooth(&self.place(spots, 0.0), true);
        self.ink(&outline, ink);
    }

    /// Draws the smooth line through the points, `width` pixels of the picture wide.
    pub(super) fn line(&mut self, spots: &[Spot], width: f32, ink: Ink) {
        let middle = smooth(&self.place(spots, width / 2.0), false);
        self.ink(&ribbon(&middle, width * self.pose.scale, 0.6), ink);
    }

    /// Draws a line that fades away at its edges and ends, as a fold of the skin does.
    pub(super) fn fold(&mut self, spots: &[Spot], width: f32, ink: Ink) {
        if ink.cover < 0.04 {
            return;
        }
        let middle = smooth(&self.place(spots, width / 2.0), false);
        for (share, cover) in [(1.1, 0.45), (0.5, 0.55)] {
            let ink = Ink::glaze(ink.shade, ink.cover * cover);
            self.ink(&ribbon(&middle, width * share * self.pose.scale, 0.2), ink);
        }
    }

    /// Fills an ellipse.
    pub(super) fn oval(&mut self, [x, y]: Spot, [across, down]: [f32; 2], ink: Ink) {
        self.fill(&ring([x, y], [across, down]), ink);
    }

    /// Fills an ellipse that fades towards its edge.
    pub(super) fn cloud(&mut self, middle: Spot, [across, down]: [f32; 2], ink: Ink) {
        for share in [1.0, 0.65] {
            let ink = Ink::glaze(ink.shade, ink.cover * 0.55);
            self.oval(middle, [across * share, down * share], ink);
        }
    }

    /// Lets only the inside of the closed curve be drawn on; what is drawn there does not widen
    /// the part.
    pub(super) fn inside(&mut self, spots: &[Spot], draw: impl FnOnce(&mut Self)) {
        let outline = smooth(&self.place(spots, 0.0), true);
        let edge = (SIDE * DETAIL) as u32;
        let (Some(path), Some(mut mask)) = (polygon(&outline), Mask::new(edge, edge)) else {
            return;
        };
        mask.fill_path(&path, FillRule::Winding, false, Transform::identity());
        self.mask = Some(mask);
        let part = self.part.take();
        draw(self);
        self.part = part;
        self.mask = None;
    }

    /// The drawing averaged down to the picture, row by row, each value from 0 to 1, and its parts.
    pub(super) fn finish(self) -> (Vec<f32>, Vec<Part>) {
        let width = SIDE * DETAIL;
        let data = self.sheet.data();
        let mut picture = vec![0.0; SIDE * SIDE];
        let share = 1.0 / (255 * DETAIL * DETAIL) as f32;
        for (top, row) in data.chunks_exact(width * 4).enumerate() {
            let values = &mut picture[top / DETAIL * SIDE..][..SIDE];
            for (value, cells) in values.iter_mut().zip(row.chunks_exact(DETAIL * 4)) {
                let sum: u32 = cells.iter().step_by(4).map(|&grey| u32::from(grey)).sum();
                *value += sum as f32 * share;
            }
        }
        let edge = SIDE as f32;
        let mut parts = self.parts;
        for part in &mut parts {
            part.bounds = part.bounds.map(|bound| bound.clamp(0.0, edge));
        }
        (picture, parts)
    }

    fn ink(&mut self, outline: &[[f32; 2]], ink: Ink) {
        if let Some(path) = polygon(outline) {
            let mask = self.mask.as_ref();
            self.sheet.fill_path(
                &path,
                &paint(ink),
                FillRule::Winding,
                Transform::identity(),
                mask,
            );
        }
    }

    /// Where points lie in the picture, counted into the part with a margin around them.
    fn place(&mut self, spots: &[Spot], margin: f32) -> Vec<[f32; 2]> {
        let place = |&spot: &Spot| self.pose.place(spot, self.relief);
        let points: Vec<[f32; 2]> = spots.iter().map(place).collect();
        if let Some(bounds) = &mut self.part {
            for [x, y] in &points {
                *bounds = union(*bounds, [x - margin, y - margin, x + margin, y + margin]);
            }
        }
        points
    }
}

/// The curve of Catmull and Rom (1974) through the points, as a chain of short lines.
fn smooth(points: &[[f32; 2]], closed: bool) -> Vec<[f32; 2]> {
    const STEPS: usize = 5;
    let count = points.len() as isize;
    let at = |place: isize| {
        let place = if closed {
            place.rem_euclid(count)
        } else {
            place.clamp(0, count - 1)
        };
        points[place as usize]
    };
    let spans = if closed { count } else { count - 1 };
    let mut chain = Vec::with_capacity(spans as usize * STEPS + 1);
    for span in 0..spans {
        let [before, from, to, after] = [-1, 0, 1, 2].map(|step| at(span + step));
        for step in 0..STEPS {
            let t = step as f32 / STEPS as f32;
            chain.push([0, 1].map(|axis| {
                let [p, q, r, s] = [before[axis], from[axis], to[axis], after[axis]];
                let cubic = 3.0 * (q - r) + s - p;
                let square = 2.0 * p - 5.0 * q + 4.0 * r - s;
                q + 0.5 * t * (r - p + t * (square + t * cubic))
            }));
        }
    }
    if !closed {
        chain.extend(points.last());
    }
    chain
}

/// The outline of a line along the chain, its ends narrowed to a share of the width.
fn ribbon(chain: &[[f32; 2]], width: f32, ends: f32) -> Vec<[f32; 2]> {
    let last = chain.len() - 1;
    let edge = |place: usize, side: f32| {
        let [from, to] = [chain[place.saturating_sub(1)], chain[(place + 1).min(last)]];
        let along = [to[0] - from[0], to[1] - from[1]];
        let length = along[0].hypot(along[1]).max(1e-6);
        let near = (place.min(last - place) as f32 / (0.35 * last as f32)).min(1.0);
        let half = side * 0.5 * width * (ends + (1.0 - ends) * near) / length;
        let [x, y] = chain[place];
        [x - half * along[1], y + half * along[0]]
    };
    let there = (0..=last).map(|place| edge(place, 1.0));
    let back = (0..=last).rev().map(|place| edge(place, -1.0));
    there.chain(back).collect()
}

/// A closed path on the sheet from points of the picture.
fn polygon(points: &[[f32; 2]]) -> Option<Path> {
    let mut path = PathBuilder::with_capacity(points.len() + 1, points.len());
    let mut points = points
        .iter()
        .map(|point| point.map(|edge| edge * DETAIL as f32));
    let [x, y] = points.next()?;
    path.move_to(x, y);
    for [x, y] in points {
        path.line_to(x, y);
    }
    path.close();
    path.finish()
}

/// Twelve points around an ellipse.
pub(super) fn ring([x, y]: Spot, [across, down]: [f32; 2]) -> [Spot; 12] {
    std::array::from_fn(|step| {
        let (sin, cos) = (step as f32 * std::f32::consts::TAU / 12.0).sin_cos();
        [x + across * cos, y + down * sin]
    })
}

fn grey(ink: Ink) -> Color {
    let shade = ink.shade.clamp(0.0, 1.0);
    Color::from_rgba(shade, shade, shade, ink.cover.clamp(0.0, 1.0)).unwrap_or(Color::TRANSPARENT)
}

/// Edges are smoothed by the averaging down alone.
fn paint(ink: Ink) -> Paint<'static> {
    let mut paint = Paint::default();
    paint.set_color(grey(ink));
    paint.anti_alias = false;
    paint
}

fn union(one: [f32; 4], other: [f32; 4]) -> [f32; 4] {
    [
        one[0].min(other[0]),
        one[1].min(other[1]),
        one[2].max(other[2]),
        one[3].max(other[3]),
    ]
}
