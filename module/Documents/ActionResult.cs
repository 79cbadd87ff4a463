namespace PersistentChatFailover.Documents
{
    /// <summary>Item `action`: what a single command did, or under `plan_only` would do, to one object.</summary>
    public sealed class ActionResult
    {
        public string SqlInstance { get; set; }

        public string Database { get; set; }

        public string PoolFqdn { get; set; }

        /// <summary>`copy`, `restore`, `remove_log_shipping`, `end_connection`, `recover`, …</summary>
        public string Action { get; set; }

        /// <summary>The file, job, session or database.</summary>
        public string Object { get; set; }

        /// <summary>`planned`, `done`, `already_so`.</summary>
        public string State { get; set; }

        /// <summary>The statement, word for word, or the copy in words.</summary>
        public string Statement { get; set; }

        public string Text { get; set; }
    }
}
