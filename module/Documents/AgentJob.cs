namespace PersistentChatFailover.Documents
{
    /// <summary>A job of SQL Server Agent.</summary>
    public sealed class AgentJob
    {
        public string JobId { get; set; }

        public string Name { get; set; }

        public bool IsEnabled { get; set; }

        public bool IsRunning { get; set; }

        public override string ToString()
        {
            return Name;
        }
    }
}
