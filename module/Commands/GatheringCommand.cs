using System;
using System.Collections.Generic;
using System.Management.Automation;

namespace PersistentChatFailover.Commands
{
    /// <summary>
    /// A change that takes many objects from the pipeline and acts once an instance and database, after the last one.
    /// </summary>
    public abstract class GatheringCommand : FolderCommand
    {
        private readonly List<KeyValuePair<string, Dictionary<string, object>>> gathered =
            new List<KeyValuePair<string, Dictionary<string, object>>>();

        /// <summary>Answers the confirmation; it widens nothing.</summary>
        [Parameter]
        public SwitchParameter Force { get; set; }

        internal override bool AnswersYes
        {
            get { return Force.IsPresent; }
        }

        /// <summary>The request for one instance, of the parameters bound now.</summary>
        internal abstract Dictionary<string, object> Request(string instance);

        /// <summary>Takes a further object for an instance and database that is known already.</summary>
        internal virtual void Merge(Dictionary<string, object> known, Dictionary<string, object> further)
        {
        }

        /// <summary>Carries out what was gathered for one instance.</summary>
        internal abstract void Act(string instance, Dictionary<string, object> request);

        protected override void ProcessRecord()
        {
            foreach (string instance in SqlInstance)
            {
                string key = instance + "|" + Database;
                Dictionary<string, object> request = Request(instance);
                int known = gathered.FindIndex(g => string.Equals(g.Key, key, StringComparison.OrdinalIgnoreCase));
                if (known >= 0)
                {
                    Merge(gathered[known].Value, request);
                }
                else
                {
                    gathered.Add(new KeyValuePair<string, Dictionary<string, object>>(key, request));
                }
            }
        }

        protected override void EndProcessing()
        {
            foreach (KeyValuePair<string, Dictionary<string, object>> one in gathered)
            {
                if (Stopping)
                {
                    return;
                }
                var target = (Dictionary<string, object>)one.Value["target"];
                Act((string)target["sql_instance"], one.Value);
            }
        }
    }
}
