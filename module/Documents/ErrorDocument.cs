using System;
using PersistentChatFailover.Interop;

namespace PersistentChatFailover.Documents
{
    /// <summary>An error of the library: code, text, what stayed unchanged, what to do next.</summary>
    public sealed class ErrorDocument
    {
        /// <summary>The stable code, 1001 to 9999.</summary>
        public int Code { get; set; }

        public string Id { get; set; }

        /// <summary>The name of PowerShell's error category.</summary>
        public string Category { get; set; }

        public string Message { get; set; }

        public string Unchanged { get; set; }

        public string RecommendedAction { get; set; }

        public string Target { get; set; }

        public string Step { get; set; }

        public string RunId { get; set; }

        public int ExitCode { get; set; }

        public SqlServerError SqlError { get; set; }

        /// <summary>The error of a result that ended badly without naming one.</summary>
        internal static ErrorDocument OfOutcome(RunResult result)
        {
            return new ErrorDocument
            {
                Code = 5015,
                Id = "StepNotVerified",
                Category = "InvalidResult",
                Message = "PCHAT5015: " + result.Text,
                Unchanged = string.Empty,
                RecommendedAction = result.NextActions.Length > 0 ? result.NextActions[0] : "Run Get-PChatRun to see the state.",
                Target = result.SqlInstance,
                RunId = result.RunId,
                ExitCode = result.ExitCode,
            };
        }

        internal static ErrorDocument Read(string text)
        {
            try
            {
                return Documents.Document.Read<ErrorDocument>(Json.Read(text));
            }
            catch (FormatException e)
            {
                return new ErrorDocument
                {
                    Code = 9001,
                    Id = "InternalFault",
                    Category = "NotSpecified",
                    Message = "PCHAT9001: the library's error document cannot be read: " + e.Message,
                    RecommendedAction = "Run Get-PChatRun to see the state. Please report this message.",
                    ExitCode = 1,
                };
            }
        }

        public override string ToString()
        {
            return Message;
        }
    }

    /// <summary>An error as SQL Server sent it.</summary>
    public sealed class SqlServerError
    {
        public long Number { get; set; }

        public int Severity { get; set; }

        public int State { get; set; }

        public long Line { get; set; }

        public string Server { get; set; }

        public string Procedure { get; set; }

        public string Message { get; set; }

        public override string ToString()
        {
            return Number + ": " + Message;
        }
    }
}
