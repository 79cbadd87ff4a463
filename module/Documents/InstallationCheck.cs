namespace PersistentChatFailover.Documents
{
    /// <summary>One named fact about this installation and this shell.</summary>
    public sealed class InstallationCheck
    {
        /// <summary>`Files`, `ZoneMarks`, `Library`.</summary>
        public string Name { get; set; }

        /// <summary>`passed`, `warning`, `failed` or `unknown`.</summary>
        public string State { get; set; }

        public string Value { get; set; }

        public string Wanted { get; set; }

        /// <summary>What would not work here, and what to do.</summary>
        public string Message { get; set; }

        internal static InstallationCheck Of(string name, string state, string value, string wanted, string message)
        {
            return new InstallationCheck { Name = name, State = state, Value = value, Wanted = wanted, Message = message };
        }

        public override string ToString()
        {
            return Name + ": " + State;
        }
    }
}
