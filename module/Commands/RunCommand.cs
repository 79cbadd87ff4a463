using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Management.Automation;
using PersistentChatFailover.Documents;
using PersistentChatFailover.Interop;

namespace PersistentChatFailover.Commands
{
    /// <summary>A command on a run of the journal: resume it, or give it up.</summary>
    public abstract class RunCommand : ConnectionCommand
    {
        /// <summary>The run; the only open one where none is named.</summary>
        [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
        public string RunId { get; set; }

        /// <summary>The folder of the journal, or of its second copy.</summary>
        [Parameter(ValueFromPipelineByPropertyName = true)]
        public string JournalPath { get; set; }

        /// <summary>The folder of the other copy of the journal.</summary>
        [Parameter]
        public string JournalCopyPath { get; set; }

        /// <summary>Goes on without a second copy of the journal.</summary>
        [Parameter]
        public SwitchParameter NoJournalCopy { get; set; }

        /// <summary>Folders as this machine opens them, where it is another one than the run's.</summary>
        [Parameter]
        public Hashtable PathMap { get; set; }

        /// <summary>SQL logins by instance, for instances that want another one than -SqlCredential: logins are not journaled.</summary>
        [Parameter]
        public Hashtable InstanceCredential { get; set; }

        /// <summary>Answers the confirmation; it widens nothing.</summary>
        [Parameter]
        public SwitchParameter Force { get; set; }

        internal override bool AnswersYes
        {
            get { return Force.IsPresent; }
        }

        internal override void AddLogins(Session opened)
        {
            base.AddLogins(opened);
            if (InstanceCredential == null)
            {
                return;
            }
            foreach (DictionaryEntry entry in InstanceCredential)
            {
                var wrapped = entry.Value as PSObject;
                var credential = (wrapped == null ? entry.Value : wrapped.BaseObject) as PSCredential;
                if (credential == null)
                {
                    throw PChatException.BadValue(
                        "-InstanceCredential has no credential for " + entry.Key + ".", "Give a table of instance names and credentials.");
                }
                opened.AddLogin(System.Convert.ToString(entry.Key, CultureInfo.InvariantCulture), credential);
            }
        }

        /// <summary>Says what would be done, asks once, and does it.</summary>
        internal void Run(string export, string kind, string caption, string acceptDataLoss, string[] activeServers)
        {
            RunResult otherwise = RunResult.Begun(kind, null, null, null);
            otherwise.RunId = string.IsNullOrEmpty(RunId) ? null : RunId;
            try
            {
                var request = new Dictionary<string, object>
                {
                    { "version", 1 },
                    { "journal", JournalPlace.Document(this, JournalPath, JournalCopyPath, NoJournalCopy.IsPresent) },
                    { "run_id", NullIfEmpty(RunId) },
                    { "path_map", Session.Entries(PathMap, "from", "to") },
                    { "plan_only", true },
                    { "accept_data_loss", NullIfEmpty(acceptDataLoss) },
                    { "active_servers", activeServers },
                };
                new Change(this, caption).Run(export, request, otherwise);
            }
            catch (PChatException e)
            {
                WriteRun(otherwise.Failed(e.Error));
            }
        }
    }
}
