namespace PersistentChatFailover.Documents
{
    /// <summary>Result `log_backup_list`: the verdict on the chain.</summary>
    public sealed class LogChainSummary
    {
        public string SqlInstance { get; set; }

        public string Database { get; set; }

        public string PoolFqdn { get; set; }

        /// <summary>`complete`, `complete_share_unreachable`, `gap`, `unfinished`, `damaged`, `unknown`.</summary>
        public string Verdict { get; set; }

        public string Text { get; set; }

        public int Needed { get; set; }

        public int NotCopied { get; set; }

        public decimal? RedoPointLsn { get; set; }

        public decimal? EndLsn { get; set; }
    }
}
