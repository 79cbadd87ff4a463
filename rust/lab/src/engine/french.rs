//! French texts of a few frequent messages, for sessions that did not ask for English.

use super::connection::Connection;
use super::error::SqlMessage;

impl Connection {
    /// The message in the session's language: a few frequent ones have a French text, numbers stay.
    pub(crate) fn translate(&self, mut message: SqlMessage) -> SqlMessage {
        if self.english {
            return message;
        }
        let named = message.message.split('\'').nth(1).unwrap_or_default().to_owned();
        let french = match message.number {
            911 => {
                format!("La base de données '{named}' n'existe pas. Assurez-vous que le nom a été entré correctement.")
            }
            927 => format!("Impossible d'ouvrir la base de données '{named}'. Elle est en cours de restauration."),
            3013 => format!(
                "{} s'est terminé anormalement.",
                message.message.trim_end_matches(" is terminating abnormally.")
            ),
            3101 => "Impossible d'obtenir un accès exclusif car la base de données est en cours d'utilisation.".into(),
            3153 => "La base de données est déjà entièrement récupérée.".into(),
            3201 => format!(
                "Impossible d'ouvrir l'unité de sauvegarde '{named}'. {}",
                message.message.split("'. ").nth(1).unwrap_or_default()
            ),
            5069 => "L'instruction ALTER DATABASE a échoué.".into(),
            6106 => message
                .message
                .replace("Process ID", "L'ID de processus")
                .replace("is not an active process ID", "n'est pas un ID de processus actif"),
            32014 => message.message.replace("Database", "La base de données").replace(
                "does not exist as log shipping secondary",
                "n'existe pas en tant que base secondaire d'envoi de journaux",
            ),
            _ => return message,
        };
        message.message = french;
        message
    }
}
