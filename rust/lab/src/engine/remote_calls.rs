//! Calls that arrive as RPC: statements with parameters, and procedures.

use super::connection::{killed, After, Connection, Output};
use super::execute::Control;

impl Connection {
    /// Runs a statement with parameters, as `sp_executesql` by RPC does; returns the parameters' values afterwards.
    pub async fn statement_with_parameters(
        &mut self,
        sql: &str,
        parameters: Vec<(String, lab_tsql::SqlType, lab_tsql::Value)>,
        out: &mut dyn Output,
    ) -> (After, Vec<lab_tsql::Value>) {
        self.touch();
        let declared: Vec<_> = parameters.iter().map(|(name, kind, _)| (name.clone(), *kind)).collect();
        self.take_down(sql, &declared);
        let result = self.nested_batch(sql, parameters, out).await;
        self.set_request(None);
        match result {
            Ok((control, values)) => (self.after(control, out).await, values),
            Err(halt) => (self.after_halt(halt, out).await, Vec::new()),
        }
    }

    /// Calls a procedure by RPC; returns its status.
    pub(crate) async fn call_for_rpc(
        &mut self,
        name: &lab_tsql::ast::ObjectName,
        arguments: Vec<super::procedures::CallArgument>,
        text: &str,
        out: &mut dyn Output,
    ) -> (After, i32) {
        self.touch();
        let result = self.call(name, arguments, text, out).await;
        self.set_request(None);
        match result {
            Ok((status, control)) => (self.after(control, out).await, status.unwrap_or(1)),
            Err(halt) => (self.after_halt(halt, out).await, 1),
        }
    }

    pub(crate) fn declare_for_rpc(&mut self, name: &str, data_type: lab_tsql::SqlType, value: lab_tsql::Value) {
        self.context.variables.declare(name, data_type, value);
    }

    pub(crate) fn variable_for_rpc(&self, name: &str) -> Option<lab_tsql::Value> {
        self.context.variables.get(name).map(|v| v.value.clone())
    }

    async fn after(&mut self, control: Control, out: &mut dyn Output) -> After {
        match control {
            Control::Killed => {
                out.message(&killed()).await;
                After::Close
            }
            Control::Cut => After::Abort,
            Control::Fatal => After::Close,
            _ => After::Continue,
        }
    }

    async fn after_halt(&mut self, halt: super::execute::Halt, out: &mut dyn Output) -> After {
        match halt {
            super::execute::Halt::Cut => After::Abort,
            super::execute::Halt::Killed => {
                out.message(&killed()).await;
                After::Close
            }
            super::execute::Halt::Errors(errors) => {
                for error in errors {
                    let error = self.translate(error);
                    out.message(&error).await;
                }
                After::Continue
            }
        }
    }
}
