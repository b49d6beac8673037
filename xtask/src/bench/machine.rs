use std::fmt::Write;
use std::fs::read_to_string;

/// What `/proc/cpuinfo` says of the first processor.
struct Processor {
    model: String,
    family: u32,
    flags: Vec<String>,
    count: usize,
}

impl Processor {
    fn read() -> Self {
        Processor::parse(&read_to_string("/proc/cpuinfo").unwrap_or_default())
    }

    fn parse(text: &str) -> Self {
        let value = |key: &str| {
            let pair = text.lines().filter_map(|line| line.split_once(':')).find(|(k, _)| k.trim() == key);
            pair.map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
        };
        let model = value("model name");
        Processor {
            model: if model.is_empty() { std::env::consts::ARCH.to_owned() } else { model },
            family: value("cpu family").parse().unwrap_or(0),
            flags: value("flags").split_whitespace().map(str::to_owned).collect(),
            count: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }

    fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|known| known == flag)
    }

    /// AMD's names say no generation, its families do.
    fn generation(&self) -> &'static str {
        match self.family {
            _ if !self.model.starts_with("AMD") => "",
            0x17 => "zen2",
            0x19 if self.has("avx512f") => "zen4",
            0x19 => "zen3",
            0x1a => "zen5",
            _ => "",
        }
    }

    fn name(&self) -> String {
        let text = format!("{} {} {} cores", self.model, self.generation(), self.count);
        let words = text.to_lowercase().replace("(r)", " ").replace("(tm)", " ");
        let words = words.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        words.collect::<Vec<_>>().join("-")
    }
}

/// A name for files: `amd-epyc-zen5-2-cores`.
pub(crate) fn name() -> String {
    Processor::read().name()
}

/// A sentence about the machine for the report's head.
pub(crate) fn description() -> String {
    let processor = Processor::read();
    let mut text = processor.model.clone();
    if !processor.generation().is_empty() {
        write!(text, " ({})", processor.generation()).ok();
    }
    write!(text, ", {} cores", processor.count).ok();
    let known = ["avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16"];
    let sets: Vec<&str> = known.into_iter().filter(|flag| processor.has(flag)).collect();
    write!(text, "; {}", sets.join(", ")).ok();
    let memory = read_to_string("/proc/meminfo").unwrap_or_default();
    let kibibytes =
        memory.lines().next().and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    if let Some(kibibytes) = kibibytes {
        write!(text, "; {:.0} GiB of memory", kibibytes / 1_048_576.0).ok();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_processor_becomes_a_file_name() {
        let zen5 = "processor : 0\ncpu family : 26\nmodel name : AMD EPYC\nflags : fpu avx2 avx512f\n";
        let mut processor = Processor::parse(zen5);
        processor.count = 2;
        assert_eq!(processor.name(), "amd-epyc-zen5-2-cores");
        let xeon = "cpu family : 6\nmodel name : Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz\nflags : avx2\n";
        let mut processor = Processor::parse(xeon);
        processor.count = 8;
        assert_eq!(processor.name(), "intel-xeon-gold-6338-cpu-2-00ghz-8-cores");
    }
}
