namespace PersistentChatFailover.Documents
{
    /// <summary>Item `check`: one named check.</summary>
    public sealed class CheckResult
    {
        public string SqlInstance { get; set; }

        public string Database { get; set; }

        public string PoolFqdn { get; set; }

        /// <summary>`PrimaryIsDown`.</summary>
        public string Name { get; set; }

        /// <summary>`passed`, `warning`, `failed`, or `unknown` (counts as failed where the check guards data).</summary>
        public string State { get; set; }

        public string Value { get; set; }

        public string Wanted { get; set; }

        /// <summary>What it means and what to do.</summary>
        public string Message { get; set; }

        /// <summary>The code of the refusal that follows from it.</summary>
        public int? Code { get; set; }

        public override string ToString()
        {
            return Name + ": " + State;
        }
    }
}
