using System.Collections;
using System.Collections.Generic;
using System.Management.Automation;
using PersistentChatFailover.Documents;
using PersistentChatFailover.Interop;

namespace PersistentChatFailover.Commands
{
    /// <summary>What every way from one site to the other asks: the other instances, their logins, the pool, the journal.</summary>
    public abstract class SwitchCommand : TargetCommand
    {
        /// <summary>The database; mgc unless another is named. That it is empty is not the binder's business: a piped plan of
        /// another workflow has none, and is to be told what it is.</summary>
        [Parameter(ValueFromPipelineByPropertyName = true)]
        public override string Database { get; set; }

        /// <summary>FQDNs of the servers to be active, at most 4.</summary>
        [Parameter]
        public string[] ActiveServer { get; set; }

        /// <summary>The share through which the mirror is set up.</summary>
        [Parameter]
        public string MirrorFileShare { get; set; }

        /// <summary>The primary; log shipping's record or the baseline names it otherwise.</summary>
        [Parameter]
        public string PrimarySqlInstance { get; set; }

        [Parameter]
        public string PrimaryMirrorSqlInstance { get; set; }

        [Parameter]
        public string BackupMirrorSqlInstance { get; set; }

        [Parameter]
        public string MonitorSqlInstance { get; set; }

        [Parameter]
        [Credential]
        public PSCredential PrimarySqlCredential { get; set; }

        [Parameter]
        [Credential]
        public PSCredential PrimaryMirrorSqlCredential { get; set; }

        [Parameter]
        [Credential]
        public PSCredential BackupMirrorSqlCredential { get; set; }

        [Parameter]
        [Credential]
        public PSCredential MonitorSqlCredential { get; set; }

        /// <summary>The identity for Set-CsPersistentChatState, instead of the one that its -WhatIf accepts.</summary>
        [Parameter]
        public string PoolStateIdentity { get; set; }

        /// <summary>The identity for Set-CsPersistentChatActiveServer, instead of the one that its -WhatIf accepts.</summary>
        [Parameter]
        public string ActiveListIdentity { get; set; }

        /// <summary>How long replication and other waits on the pool may take, in seconds.</summary>
        [Parameter]
        [ValidateRange(1, 86400)]
        public int PoolTimeoutSeconds { get; set; }

        /// <summary>Folders as the instance or the network names them, and as this machine opens them.</summary>
        [Parameter]
        public Hashtable PathMap { get; set; }

        /// <summary>The folder of the journal; the default is machine-wide.</summary>
        [Parameter]
        public string JournalPath { get; set; }

        /// <summary>The folder of the journal's second copy; the copy folder or the baseline's without it.</summary>
        [Parameter]
        public string JournalCopyPath { get; set; }

        /// <summary>Declines the second copy of the journal.</summary>
        [Parameter]
        public SwitchParameter NoJournalCopy { get; set; }

        /// <summary>
        /// True where the instance is named beside a pipeline. Its objects would be passed over in silence, and a plan among them
        /// is what should run.
        /// </summary>
        internal bool NamesInstanceBesideInput { get; private set; }

        protected override void BeginProcessing()
        {
            base.BeginProcessing();
            NamesInstanceBesideInput = MyInvocation.ExpectingInput && MyInvocation.BoundParameters.ContainsKey("SqlInstance");
        }

        /// <summary>The refusal of an instance beside a pipeline.</summary>
        internal static PChatException InstanceBesideInput()
        {
            return PChatException.BadValue(
                "-SqlInstance does not go with objects from the pipeline: they would be passed over.",
                "Pipe the plan alone, or name the instance alone.");
        }

        protected SwitchCommand()
        {
            PoolTimeoutSeconds = 900;
        }

        /// <summary>The logins of the other instances, by the names that the parameters give.</summary>
        internal override void AddLogins(Session opened)
        {
            base.AddLogins(opened);
            AddLogin(opened, PrimarySqlCredential, "Primary", PrimarySqlInstance);
            AddLogin(opened, PrimaryMirrorSqlCredential, "PrimaryMirror", PrimaryMirrorSqlInstance);
            AddLogin(opened, BackupMirrorSqlCredential, "BackupMirror", BackupMirrorSqlInstance);
            AddLogin(opened, MonitorSqlCredential, "Monitor", MonitorSqlInstance);
        }

        /// <summary>The same for a plan, which names the instances itself.</summary>
        internal void AddLogins(Session opened, Plan plan, string monitor)
        {
            opened.AddLogin(null, SqlCredential);
            AddLogin(opened, PrimarySqlCredential, "Primary", plan.RequestText("primary_sql_instance"));
            AddLogin(opened, PrimaryMirrorSqlCredential, "PrimaryMirror", plan.RequestText("primary_mirror_sql_instance"));
            AddLogin(opened, BackupMirrorSqlCredential, "BackupMirror", plan.RequestText("backup_mirror_sql_instance"));
            AddLogin(opened, MonitorSqlCredential, "Monitor", monitor);
        }

        internal override Dictionary<string, object> Target(string instance)
        {
            if (string.IsNullOrEmpty(Database))
            {
                throw PChatException.BadValue("-Database is empty.", "Name the database, or leave the parameter out for mgc.");
            }
            return base.Target(instance);
        }

        internal Dictionary<string, object> Journal()
        {
            return JournalPlace.Document(this, JournalPath, JournalCopyPath, NoJournalCopy.IsPresent);
        }

        /// <summary>How pool state and active list are spelled, as a document.</summary>
        internal static Dictionary<string, object> Spellings(string poolState, string activeList)
        {
            return new Dictionary<string, object>
            {
                { "pool_state_identity", NullIfEmpty(poolState) },
                { "active_list_identity", NullIfEmpty(activeList) },
            };
        }
    }
}
