using System.Collections.Generic;
using System.Management.Automation;
using PersistentChatFailover.Interop;

namespace PersistentChatFailover.Commands
{
    /// <summary>A change to one database that is kept in a journal; it acts after the last object came.</summary>
    public abstract class JournaledCommand : TargetCommand
    {
        private readonly Gathering gathering = new Gathering();

        /// <summary>The folder of the journal; the default is machine-wide.</summary>
        [Parameter]
        public string JournalPath { get; set; }

        /// <summary>Answers the confirmation; it widens nothing.</summary>
        [Parameter]
        public SwitchParameter Force { get; set; }

        internal override bool AnswersYes
        {
            get { return Force.IsPresent; }
        }

        /// <summary>The export that carries it out.</summary>
        internal abstract string Export { get; }

        /// <summary>The kind that its result carries.</summary>
        internal abstract string Kind { get; }

        /// <summary>What the question is headed with.</summary>
        internal abstract string Caption { get; }

        /// <summary>Where its journal goes.</summary>
        internal virtual Dictionary<string, object> Journal()
        {
            return JournalPlace.Document(this, JournalPath, null, false);
        }

        /// <summary>Adds what this command's request has of its own.</summary>
        internal virtual void Complete(Dictionary<string, object> request)
        {
        }

        protected override void ProcessRecord()
        {
            foreach (string instance in SqlInstance)
            {
                try
                {
                    var request = new Dictionary<string, object>
                    {
                        { "version", 1 },
                        { "target", Target(instance) },
                        { "journal", Journal() },
                        { "plan_only", true },
                        { "approved_digest", null },
                    };
                    Complete(request);
                    gathering.Add(request);
                }
                catch (PChatException e)
                {
                    WriteRun(NoResult(Kind, instance).Failed(e.Error));
                }
            }
        }

        protected override void EndProcessing()
        {
            foreach (Dictionary<string, object> request in gathering.Requests)
            {
                // After a stop the shell calls this all the same.
                if (IsStopping)
                {
                    return;
                }
                new Change(this, Caption).Run(Export, request, NoResult(Kind, Gathering.Instance(request)));
            }
        }
    }
}
