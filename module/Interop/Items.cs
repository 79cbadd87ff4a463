using System;
using PersistentChatFailover.Documents;

namespace PersistentChatFailover.Interop
{
    /// <summary>The type that belongs to each kind of item and result.</summary>
    internal static class Items
    {
        internal static object Typed(string kind, object tree)
        {
            switch (kind)
            {
                case "log_shipping":
                case "database_state":
                    return Document.Read<LogShipping>(tree);
                case "log_backup":
                    return Document.Read<LogBackup>(tree);
                case "log_chain":
                    return Document.Read<LogChainSummary>(tree);
                case "connection":
                    return Document.Read<Connection>(tree);
                case "backup":
                    return Document.Read<DatabaseBackup>(tree);
                case "mirror":
                    return Document.Read<DatabaseMirror>(tree);
                case "baseline":
                    return Document.Read<Baseline>(tree);
                case "backup_service_module":
                    return Document.Read<BackupServiceModule>(tree);
                case "check":
                    return Document.Read<CheckResult>(tree);
                case "step":
                    return Document.Read<StepResult>(tree);
                case "action":
                    return Document.Read<ActionResult>(tree);
                case "run_summary":
                    return Document.Read<RunSummary>(tree);
                case "run":
                    return Document.Read<RunResult>(tree);
                case "plan":
                    return Plan.Read(tree);
                default:
                    throw new InvalidOperationException("The library sent an unknown kind of document: " + kind);
            }
        }
    }
}
