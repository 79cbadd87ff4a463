//! What clients send, text by text: for reading it, not for running it.

use std::collections::HashMap;

use serde::Serialize;

/// A text that was sent, with its parameters.
#[derive(Clone, Debug, Serialize)]
pub struct Sent {
    pub instance: String,
    pub program: String,
    pub text: String,
    /// Name and type of each parameter.
    pub parameters: Vec<(String, String)>,
    /// How often.
    pub count: u64,
}

/// The texts in the order in which each came first, from the moment when somebody asked for them.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    sent: Vec<Sent>,
    places: HashMap<(String, String), usize>,
}

impl Recording {
    /// Takes a text down.
    pub fn take(&mut self, instance: &str, program: &str, text: &str, parameters: &[(String, lab_tsql::SqlType)]) {
        let key = (instance.to_owned(), text.to_owned());
        if let Some(place) = self.places.get(&key) {
            self.sent[*place].count += 1;
            return;
        }
        self.places.insert(key, self.sent.len());
        self.sent.push(Sent {
            instance: instance.to_owned(),
            program: program.to_owned(),
            text: text.to_owned(),
            parameters: parameters.iter().map(|(name, kind)| (name.clone(), declared(kind))).collect(),
            count: 1,
        });
    }

    /// Everything so far.
    pub fn sent(&self) -> &[Sent] {
        &self.sent
    }
}

/// A type as DECLARE takes it.
fn declared(kind: &lab_tsql::SqlType) -> String {
    use lab_tsql::SqlType as T;
    let length = |n: &Option<u16>| n.map_or("max".to_owned(), |n| n.to_string());
    match kind {
        T::Bit => "bit".to_owned(),
        T::TinyInt => "tinyint".to_owned(),
        T::SmallInt => "smallint".to_owned(),
        T::Int => "int".to_owned(),
        T::BigInt => "bigint".to_owned(),
        T::Numeric { precision, scale } => format!("numeric({precision},{scale})"),
        T::Real => "real".to_owned(),
        T::Float => "float".to_owned(),
        T::DateTime => "datetime".to_owned(),
        T::DateTime2 { scale } => format!("datetime2({scale})"),
        T::Date => "date".to_owned(),
        T::UniqueIdentifier => "uniqueidentifier".to_owned(),
        T::NVarChar(n) => format!("nvarchar({})", length(n)),
        T::VarChar(n) => format!("varchar({})", length(n)),
        T::NChar(n) => format!("nchar({n})"),
        T::Char(n) => format!("char({n})"),
        T::VarBinary(n) => format!("varbinary({})", length(n)),
        T::Binary(n) => format!("binary({n})"),
        T::Variant => "sql_variant".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_kept_once_with_its_parameters_and_a_count() {
        let mut recording = Recording::default();
        let name = [("@P1".to_owned(), lab_tsql::SqlType::NVarChar(Some(4000)))];
        recording.take("B\\RTC", "client", "SELECT 1 WHERE @P1 = N''", &name);
        recording.take("B\\RTC", "client", "SELECT 1 WHERE @P1 = N''", &name);
        recording.take("P\\RTC", "client", "SELECT 2", &[]);
        let sent = recording.sent();
        assert_eq!((sent.len(), sent[0].count), (2, 2));
        assert_eq!(sent[0].parameters, [("@P1".to_owned(), "nvarchar(4000)".to_owned())]);
    }
}
