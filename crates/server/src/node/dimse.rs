//! Messages of PS3.7, as far as storing and echoing need them. They are Implicit VR Little Endian.

/// C-STORE-RQ, C-ECHO-RQ and C-CANCEL-RQ (PS3.7, E.1).
pub(super) const STORE: u16 = 0x0001;
pub(super) const ECHO: u16 = 0x0030;
pub(super) const CANCEL: u16 = 0x0FFF;

/// What turns a request's number into its answer's.
const ANSWER: u16 = 0x8000;

/// A data set follows; none does (PS3.7, E.1: any value but 0101H).
const DATA: u16 = 0x0001;
const NO_DATA: u16 = 0x0101;

/// How a request ended (PS3.7, annex C; PS3.4, B.2.3).
pub(super) mod status {
    pub(in super::super) const SUCCESS: u16 = 0x0000;
    pub(in super::super) const INVALID_INSTANCE: u16 = 0x0117;
    pub(in super::super) const UNRECOGNIZED: u16 = 0x0211;
    pub(in super::super) const OUT_OF_RESOURCES: u16 = 0xA700;
    pub(in super::super) const DOES_NOT_MATCH: u16 = 0xA900;
    pub(in super::super) const CANNOT_UNDERSTAND: u16 = 0xC000;
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    /// Which: [`STORE`], [`ECHO`] or another.
    pub(super) field: u16,
    /// Its number, which the answer repeats.
    pub(super) message: u16,
    /// The SOP class UID.
    pub(super) class: String,
    /// The SOP instance UID; empty where it has none.
    pub(super) instance: String,
    /// Whether a data set follows.
    pub(super) has_data: bool,
}

impl Request {
    /// `None`: these are no elements of a command, or one without field and number.
    pub(super) fn parse(bytes: &[u8]) -> Option<Request> {
        let elements = Elements(bytes);
        let uid = |tag| elements.find(tag).map(uid).unwrap_or_default();
        // The class of C-STORE and C-ECHO is the affected one (0000,0002), of others the requested one.
        let class = [0x0002, 0x0003].into_iter().map(uid).find(|class| !class.is_empty());
        Some(Request {
            field: elements.number(0x0100)?,
            message: elements.number(0x0110)?,
            class: class.unwrap_or_default(),
            instance: uid(0x1000),
            has_data: elements.number(0x0800).is_some_and(|kind| kind != NO_DATA),
        })
    }

    /// The answer.
    pub(super) fn answer(&self, status: u16) -> Vec<u8> {
        let mut elements = Vec::new();
        if !self.class.is_empty() {
            write_uid(&mut elements, 0x0002, &self.class);
        }
        write_number(&mut elements, 0x0100, self.field | ANSWER);
        write_number(&mut elements, 0x0120, self.message);
        write_number(&mut elements, 0x0800, NO_DATA);
        write_number(&mut elements, 0x0900, status);
        if !self.instance.is_empty() {
            write_uid(&mut elements, 0x1000, &self.instance);
        }
        with_length(&elements)
    }
}

/// A request to store an object.
pub(super) fn store(message: u16, class: &str, instance: &str) -> Vec<u8> {
    let mut elements = Vec::new();
    write_uid(&mut elements, 0x0002, class);
    write_number(&mut elements, 0x0100, STORE);
    write_number(&mut elements, 0x0110, message);
    // Medium priority.
    write_number(&mut elements, 0x0700, 0);
    write_number(&mut elements, 0x0800, DATA);
    write_uid(&mut elements, 0x1000, instance);
    with_length(&elements)
}

/// The status in an answer to the request with this number.
pub(super) fn status_of(answer: &[u8], message: u16) -> Option<u16> {
    let elements = Elements(answer);
    let fits = elements.number(0x0100)? & ANSWER != 0 && elements.number(0x0120)? == message;
    if fits { elements.number(0x0900) } else { None }
}

/// Elements of group 0000.
struct Elements<'a>(&'a [u8]);

impl<'a> Elements<'a> {
    fn find(&self, element: u16) -> Option<&'a [u8]> {
        let mut rest = self.0;
        loop {
            let (head, after) = rest.split_at_checked(8)?;
            let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
            let (value, after) = after.split_at_checked(length)?;
            if head[..2] == [0, 0] && head[2..4] == element.to_le_bytes() {
                return Some(value);
            }
            rest = after;
        }
    }

    fn number(&self, element: u16) -> Option<u16> {
        Some(u16::from_le_bytes(self.find(element)?.try_into().ok()?))
    }
}

/// A UID without its padding; empty where it is none.
fn uid(bytes: &[u8]) -> String {
    let text = std::str::from_utf8(bytes).unwrap_or_default().trim_matches(['\0', ' ']);
    if is_uid(text) { text.to_owned() } else { String::new() }
}

/// Digits between dots, at most 64 (PS3.5, 9.1).
pub(super) fn is_uid(text: &str) -> bool {
    let part = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.len() <= 64 && text.split('.').all(part)
}

fn write(out: &mut Vec<u8>, element: u16, value: &[u8]) {
    out.extend([0, 0]);
    out.extend(element.to_le_bytes());
    out.extend((value.len() as u32).to_le_bytes());
    out.extend(value);
}

fn write_uid(out: &mut Vec<u8>, element: u16, uid: &str) {
    let mut value = uid.as_bytes().to_vec();
    if value.len() % 2 == 1 {
        value.push(0);
    }
    write(out, element, &value);
}

fn write_number(out: &mut Vec<u8>, element: u16, number: u16) {
    write(out, element, &number.to_le_bytes());
}

/// The length of the group stands first.
fn with_length(elements: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out, 0x0000, &(elements.len() as u32).to_le_bytes());
    out.extend(elements);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_as_it_was_written_and_answered_by_its_number() {
        let request = Request::parse(&store(7, "1.2.3", "1.2.3.4")).unwrap();
        let told = (request.field, request.class.as_str(), request.instance.as_str(), request.has_data);
        assert_eq!(told, (STORE, "1.2.3", "1.2.3.4", true));
        let answer = request.answer(status::OUT_OF_RESOURCES);
        assert_eq!(status_of(&answer, 7), Some(status::OUT_OF_RESOURCES));
        assert_eq!(status_of(&answer, 8), None);
        assert_eq!(status_of(&store(7, "1.2.3", "1.2.3.4"), 7), None, "a request is no answer");
    }

    #[test]
    fn whatever_is_cut_or_foreign_is_no_request() {
        let whole = store(7, "1.2.3", "1.2.3.4");
        for length in 0..whole.len() - 1 {
            let cut = Request::parse(&whole[..length]);
            assert!(cut.is_none_or(|request| request.instance.is_empty()), "{length}");
        }
        assert_eq!(Request::parse(b"GET / HTTP/1.1\r\n\r\n"), None);
        for wrong in ["", "1..2", "1.a", "../1", &"1.".repeat(40)] {
            assert!(!is_uid(wrong), "{wrong}");
        }
    }
}
