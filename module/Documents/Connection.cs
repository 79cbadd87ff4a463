namespace PersistentChatFailover.Documents
{
    /// <summary>Item `connection`: one session in the database.</summary>
    public sealed class Connection
    {
        public string SqlInstance { get; set; }

        public string Database { get; set; }

        public string PoolFqdn { get; set; }

        public int SessionId { get; set; }

        public string Login { get; set; }

        public string Host { get; set; }

        public string Program { get; set; }

        public string Status { get; set; }

        public string Command { get; set; }

        public string LoginAt { get; set; }

        public bool IsUserSession { get; set; }

        public int OpenTransactions { get; set; }
    }
}
