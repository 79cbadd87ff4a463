using System;

namespace PersistentChatFailover.Documents
{
    /// <summary>Item `run`: a run as the journal knows it.</summary>
    public sealed class RunSummary
    {
        public string RunId { get; set; }

        public string Kind { get; set; }

        public string SqlInstance { get; set; }

        public string Database { get; set; }

        public string PoolFqdn { get; set; }

        public DateTime StartedAtUtc { get; set; }

        public DateTime? EndedAtUtc { get; set; }

        /// <summary>True while it has neither been finished nor given up.</summary>
        public bool IsOpen { get; set; }

        public string Outcome { get; set; }

        /// <summary>The step that was last begun.</summary>
        public string LastStep { get; set; }

        public bool CanUndo { get; set; }

        public string Operator { get; set; }

        public string Machine { get; set; }

        public string JournalPath { get; set; }

        /// <summary>Empty unless one run was asked for.</summary>
        public StepResult[] Steps { get; set; }
    }
}
