using System;

namespace PersistentChatFailover.Documents
{
    /// <summary>Result of a command that changes something, and of every run.</summary>
    public sealed class RunResult
    {
        internal const int DoneCode = 0;
        internal const int CancelledCode = 5;
        internal const int NothingToDoCode = 7;

        private static readonly string[] Outcomes =
        {
            "done", "failed", "bad_input", "refused", "incomplete", "cancelled", "locked", "nothing_to_do",
        };

        public string SqlInstance { get; set; }

        public string Database { get; set; }

        public string PoolFqdn { get; set; }

        /// <summary>Of a conference restore: the pool that lost its content. PoolFqdn is then the surviving one.</summary>
        public string DamagedPoolFqdn { get; set; }

        public string RunId { get; set; }

        /// <summary>`failover`, `copy`, `restore`, `remove`, `end_connections`, `recover`, `conference_restore`, `undo`.</summary>
        public string Kind { get; set; }

        public string Outcome { get; set; }

        public int ExitCode { get; set; }

        public DateTime StartedAtUtc { get; set; }

        public DateTime EndedAtUtc { get; set; }

        /// <summary>Of a plan-only operation: what to approve.</summary>
        public string Digest { get; set; }

        public StepResult[] Steps { get; set; }

        public Loss Loss { get; set; }

        /// <summary>The state reached, in words.</summary>
        public string Text { get; set; }

        /// <summary>What is left to do, in order.</summary>
        public string[] NextActions { get; set; }

        public string JournalPath { get; set; }

        public ErrorDocument Error { get; set; }

        /// <summary>A result to be filled, where the library gave none.</summary>
        internal static RunResult Begun(string kind, string instance, string database, string poolFqdn)
        {
            return new RunResult
            {
                Kind = kind,
                SqlInstance = instance,
                Database = database,
                PoolFqdn = string.IsNullOrEmpty(poolFqdn) ? null : poolFqdn,
                StartedAtUtc = DateTime.UtcNow,
                EndedAtUtc = DateTime.UtcNow,
                Steps = new StepResult[0],
                NextActions = new string[0],
            };
        }

        /// <summary>The same, ended by an error.</summary>
        internal RunResult Failed(ErrorDocument error)
        {
            EndedAtUtc = DateTime.UtcNow;
            ExitCode = error.ExitCode == DoneCode ? 1 : error.ExitCode;
            Outcome = ExitCode > 0 && ExitCode < Outcomes.Length ? Outcomes[ExitCode] : Outcomes[1];
            Text = error.Message;
            RunId = RunId ?? error.RunId;
            Error = error;
            return this;
        }

        /// <summary>The same, not wanted by the operator; <paramref name="why"/> where there was no way to ask.</summary>
        internal RunResult Declined(string why)
        {
            string happened = why == null ? "the confirmation was declined." : "the confirmation could not be asked: " + why;
            string next = why == null
                ? "Run the command again when it shall be carried out."
                : "Run it where somebody can answer, or with -Force.";
            return Failed(new ErrorDocument
            {
                Code = 1008,
                Id = "Declined",
                Category = "OperationStopped",
                Message = "PCHAT1008: " + happened + " Nothing was changed. " + next,
                Unchanged = "Nothing was changed.",
                RecommendedAction = next,
                Target = SqlInstance,
                ExitCode = CancelledCode,
            });
        }
    }
}
