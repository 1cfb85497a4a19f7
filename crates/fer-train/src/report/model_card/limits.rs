use super::ModelCard;

impl ModelCard<'_> {
    /// What it may be used for, and what not.
    pub(super) fn limits(&self) -> String {
        let mut text = "## Use and limits\n\n\
            For research, teaching, and sorting or searching pictures where an error harms nobody. \
            The classes are names for what a face shows. An expression is no emotion: what a person \
            feels, means or intends cannot be read from it, and the same face means different things \
            in different places and cultures. Not for decisions about people: hiring, schooling, \
            policing, health, credit, insurance or anything like them.\n\n\
            - One face, cropped, upright, 48×48 grey pixels: other framing lowers the accuracy, and a \
            picture without a face gets an answer too.\n\
            - Figures hold for pictures like those that gave them. Accuracy by age, gender or skin was \
            not measured unless a file beside this card says so.\n\
            - A class with few pictures to train on is seldom found; the table by class tells.\n"
            .to_string();
        if self.is_fer2013() {
            text += "- FER2013 was labelled by few people and noisily; people agree with its labels in \
                about two thirds of the cases (Goodfellow and others 2013: 65 ± 5 %). FER+ is the vote \
                of ten, and they disagree often. Its faces come from a web search by words for \
                emotions, so posed and strong expressions and some groups of people are over-represented.\n";
        }
        text
    }
}
