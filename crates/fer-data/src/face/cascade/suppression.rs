use crate::face::cascade::Window;

/// Of windows with more overlap than `most`, the one with the highest score, which gets the scores of
/// the others on top: a face is found many times, what looks like one by chance is not. By falling score.
pub(super) fn non_maximum_suppression(mut windows: Vec<Window>, most: f32) -> Vec<Window> {
    windows.sort_by(|one, other| other.score.total_cmp(&one.score));
    let mut merged = vec![false; windows.len()];
    let mut kept = Vec::new();
    for place in 0..windows.len() {
        if merged[place] {
            continue;
        }
        let mut window = windows[place];
        for later in place + 1..windows.len() {
            if !merged[later] && windows[place].overlap(&windows[later]) > most {
                merged[later] = true;
                window.score += windows[later].score;
            }
        }
        kept.push(window);
    }
    kept
}
