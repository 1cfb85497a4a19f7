use super::ModelCard;

const USE: &str = "\
## Intended use

For research and teaching, and for sorting or searching pictures where an error harms nobody, by \
people who know these figures. The classes are names for what a face shows, the apparent expression; \
the model was never shown what anybody felt.
";

const NOT: &str = "\
## Not to be used for

- **Reading what a person feels, means or intends.** An expression is no emotion: people scowl when \
they are not angry and are angry without a scowl, and the same face means different things in \
different situations and cultures. Lisa Feldman Barrett and others: *Emotional Expressions \
Reconsidered: Challenges to Inferring Emotion From Human Facial Movements*, Psychological Science in \
the Public Interest 20(1), 2019, 1–68, doi:10.1177/1529100619832930.
- **Work and education in the European Union.** Article 5(1)(f) of the EU AI Act, Regulation (EU) \
2024/1689, prohibits systems that infer the emotions of a natural person in the workplace and in \
education institutions, save for medical or safety reasons. Elsewhere the Act counts emotion \
recognition among the uses of high risk (Annex III, point 1(c)) and demands that people are told of \
it (Article 50(3)).
- **Decisions about people**: hiring, schooling, policing, borders, health, credit, insurance, or \
anything like them.
- **Faces of people who have not agreed to it**, whatever the law says where you are.
";

const LIMITS: &str = "\
## Limits

- One face, cropped, upright, 48×48 grey pixels: other framing lowers the accuracy, and a picture \
without a face gets an answer too.
- Figures hold for pictures like those that gave them, and for groups of people only as far as the \
gaps by group tell.
- A class with few pictures to train on is seldom found; the table by class tells.
";

const FER2013: &str = "\
- FER2013 was labelled by few people and noisily; people agree with its labels in about two thirds \
of the cases (Goodfellow and others 2013: 65 ± 5 %). FER+ is the vote of ten, and they disagree \
often. Its faces come from a web search by words for emotions, so posed and strong expressions and \
some groups of people are over-represented.
";

impl ModelCard<'_> {
    /// What it may be used for, and what not.
    pub(super) fn limits(&self) -> String {
        let data = if self.is_fer2013() { FER2013 } else { "" };
        format!("{USE}\n{NOT}\n{LIMITS}{data}")
    }
}
