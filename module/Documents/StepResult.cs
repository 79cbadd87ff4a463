using System;

namespace PersistentChatFailover.Documents
{
    /// <summary>Item `step`: one step that has ended.</summary>
    public sealed class StepResult
    {
        public string SqlInstance { get; set; }

        public string Database { get; set; }

        public string PoolFqdn { get; set; }

        public string RunId { get; set; }

        public int Number { get; set; }

        public string Name { get; set; }

        public string Title { get; set; }

        /// <summary>`done`, `already_so`, `skipped`, `failed`, `planned`.</summary>
        public string State { get; set; }

        public DateTime StartedAtUtc { get; set; }

        public DateTime EndedAtUtc { get; set; }

        public long Milliseconds { get; set; }

        /// <summary>What was done, in one line.</summary>
        public string Text { get; set; }

        public override string ToString()
        {
            return Number + ". " + Title + ": " + State;
        }
    }
}
