using System;

namespace PersistentChatFailover.Documents
{
    /// <summary>Result of a command that changes something, and of every run.</summary>
    public sealed class RunResult
    {
        public string SqlInstance { get; set; }

        public string Database { get; set; }

        public string PoolFqdn { get; set; }

        public string RunId { get; set; }

        /// <summary>`failover`, `copy`, `restore`, `remove`, `end_connections`, `recover`, `undo`.</summary>
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
    }
}
