using System.Collections;
using System.Collections.Generic;
using System.Management.Automation;
using PersistentChatFailover.Documents;
using PersistentChatFailover.Interop;

namespace PersistentChatFailover.Commands
{
    /// <summary>A command on a run of the journal: resume it, or give it up.</summary>
    public abstract class RunCommand : PChatCommand
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

        /// <summary>Answers the confirmation; it widens nothing.</summary>
        [Parameter]
        public SwitchParameter Force { get; set; }

        internal override bool AnswersYes
        {
            get { return Force.IsPresent; }
        }

        internal Dictionary<string, object> RunRequest(string acceptDataLoss)
        {
            return new Dictionary<string, object>
            {
                { "version", 1 },
                { "journal", JournalDocument(this, JournalPath, JournalCopyPath, NoJournalCopy.IsPresent) },
                { "run_id", string.IsNullOrEmpty(RunId) ? null : RunId },
                { "path_map", Session.Entries(PathMap, "from", "to") },
                { "plan_only", false },
                { "accept_data_loss", string.IsNullOrEmpty(acceptDataLoss) ? null : acceptDataLoss },
            };
        }

        internal static Dictionary<string, object> JournalDocument(PSCmdlet cmdlet, string path, string copyPath, bool noCopy)
        {
            return new Dictionary<string, object>
            {
                { "journal_path", string.IsNullOrEmpty(path) ? null : cmdlet.GetUnresolvedProviderPathFromPSPath(path) },
                { "journal_copy_path", string.IsNullOrEmpty(copyPath) ? null : cmdlet.GetUnresolvedProviderPathFromPSPath(copyPath) },
                { "no_journal_copy", noCopy },
            };
        }

        /// <summary>Says what would be done, asks once, and does it.</summary>
        internal void Run(string export, Dictionary<string, object> request, string caption)
        {
            request["plan_only"] = true;
            var steps = new List<object>();
            KeyValuePair<string, object>? told = Operate(export, request, RunId, (kind, item) =>
            {
                steps.Add(item);
                return true;
            });
            if (told == null)
            {
                return;
            }
            var outlook = Document.Read<RunResult>(told.Value.Value);
            if (outlook.Error != null || outlook.Outcome != "done")
            {
                WriteRun(outlook);
                return;
            }
            bool whatIf;
            if (!new Change(this, Force).Approved(outlook.Text, outlook.Text + " Go on?", caption, out whatIf))
            {
                if (whatIf)
                {
                    WriteObject(steps, true);
                }
                else
                {
                    WriteRun(Change.Declined(outlook));
                }
                return;
            }
            request["plan_only"] = false;
            KeyValuePair<string, object>? ended = Operate(export, request, RunId, null);
            if (ended != null)
            {
                WriteRun(Document.Read<RunResult>(ended.Value.Value));
            }
        }
    }
}
