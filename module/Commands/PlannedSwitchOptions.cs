namespace PersistentChatFailover.Commands
{
    /// <summary>What only a planned switch asks.</summary>
    internal sealed class PlannedSwitchOptions
    {
        public const int DefaultDrainTimeoutSeconds = 1800;
        public const int DefaultServiceTimeoutSeconds = 300;

        public bool SalvageTail;
        public bool ComplianceDrained;
        public int DrainTimeoutSeconds;
        public int ServiceTimeoutSeconds;
        public string BaselinePath;
    }
}
