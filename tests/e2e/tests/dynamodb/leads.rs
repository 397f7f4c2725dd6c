//! Leads: several entities in one transaction, who is known by which address, who waits, and the states of agents.

use domain::LeadId;
use domain::contact::contact_key;
use domain::entity::Entity as _;
use domain::lead::{ContactTie, KnownContact, Lead, MetaLead, Waiting, announced};
use domain::sales::choose::NoAgent;
use domain::sales::{AgentId, AgentState};
use store::{Committed, Home};

use crate::both::{Tables, on_both, on_both_with_transactions};
use crate::samples::{at, client, decision, frame};

/// A lead that waits in a pool since some seconds into the day.
fn waiting(number: u128, pool: &str, since: u32) -> Lead {
    let (form_id, page_id) = ("1001".to_owned(), "77".to_owned());
    let meta = MetaLead {
        leadgen_id: number.to_string(),
        form_id,
        page_id,
        ad_id: None,
        created_at: at(0),
        failed: 0,
        since: at(0),
    };
    let mut lead = announced(meta, at(0)).next;
    lead.id = LeadId::from_bits(number);
    let (pool_id, rule_id) = (pool.to_owned(), "rest".to_owned());
    lead.facts.waiting = Some(Waiting { pool_id, rule_id, since: at(since), reason: NoAgent::NobodyWorks });
    lead
}

fn known(key: &str, lead: &Lead) -> KnownContact {
    KnownContact { key: key.to_owned(), lead_id: lead.id.clone(), since: at(5), tie: ContactTie::Own }
}

/// A lead on its way into the table, known by an address.
async fn take_in(tables: &Tables, lead: &Lead, was: Option<&KnownContact>) -> Committed {
    let mut commit = Home::<Lead>::table(&tables.crm).commit();
    commit.save(&tables.crm, None, &decision(lead.clone(), "lead.received"), &frame("cor-1")).unwrap();
    commit.know(&tables.crm, &known(&contact_key("email", "ana@example.com"), lead), was).unwrap();
    commit.send().await.unwrap()
}

#[tokio::test]
async fn of_two_first_forms_of_an_address_one_is_taken_in_and_of_the_other_nothing_stands() {
    on_both_with_transactions(async |tables| {
        let (first, second) = (waiting(1, "desk", 0), waiting(2, "desk", 0));
        assert_eq!(take_in(tables, &first, None).await, Committed::Applied);
        assert_eq!(take_in(tables, &second, None).await, Committed::Conflict);
        assert_eq!(tables.crm.load::<Lead>(&second.id).await.unwrap(), None);
        let key = contact_key("email", "ana@example.com");
        let known = known(&key, &first);
        let keys = [key, contact_key("phone", "+525512345678")];
        assert_eq!(tables.crm.contacts(&keys).await.unwrap(), std::slice::from_ref(&known));

        assert_eq!(take_in(tables, &second, Some(&known)).await, Committed::Applied, "the address is known anew");
        assert_eq!(take_in(tables, &waiting(3, "desk", 0), Some(&known)).await, Committed::Conflict);
        assert_eq!(tables.crm.contacts(&keys[..1]).await.unwrap()[0].lead_id, second.id);
    })
    .await;
}

#[tokio::test]
async fn what_must_agree_is_saved_together_or_not_at_all() {
    on_both_with_transactions(async |tables| {
        let agent = AgentId::of("sofia_reyes");
        let mut there = AgentState::unknown(agent.clone());
        let save = async |was, next: &AgentState, number| {
            let mut commit = Home::<Lead>::table(&tables.crm).commit();
            commit
                .save(&tables.crm, None, &decision(waiting(number, "desk", 0), "lead.assigned"), &frame("cor-1"))
                .unwrap();
            commit.save(&tables.crm, was, &decision(next.clone(), "agent.gave"), &frame("cor-1")).unwrap();
            commit.send().await.unwrap()
        };
        assert_eq!(save(None, &there, 1).await, Committed::Applied);
        let stored = tables.crm.load_some::<AgentState>(std::slice::from_ref(&agent)).await.unwrap().remove(0);
        assert_eq!((stored.version, &stored.entity), (1, &there));
        there.facts.open = 1;
        assert_eq!(save(Some(&stored), &there, 2).await, Committed::Applied);
        // the agent has one more meanwhile: this lead must not be given on what is known no longer
        assert_eq!(save(Some(&stored), &there, 3).await, Committed::Conflict);
        assert_eq!(tables.crm.load::<Lead>(&LeadId::from_bits(3)).await.unwrap(), None);
        let known = tables.crm.load_some::<AgentState>(&[agent, AgentId::of("never_seen")]).await.unwrap();
        assert_eq!(known.iter().map(|one| (one.version, one.entity.facts.open)).collect::<Vec<_>>(), [(2, 1)]);
    })
    .await;
}

#[tokio::test]
async fn who_waits_longest_in_a_pool_comes_first_and_whoever_is_helped_leaves_the_list() {
    on_both(async |tables| {
        for (number, pool, since) in [(1, "desk", 30), (2, "desk", 10), (3, "night", 5), (4, "desk", 20)] {
            let lead = decision(waiting(number, pool, since), "lead.waiting");
            tables.crm.save(None, lead, &frame("cor-1")).await.unwrap();
        }
        let list = async |limit| {
            let page = tables.crm.waiting("desk", limit).await.unwrap();
            page.items.iter().map(|stored| stored.entity.id().clone()).collect::<Vec<_>>()
        };
        let id = |number| LeadId::from_bits(number);
        assert_eq!(list(2).await, [id(2), id(4)]);
        let helped = tables.crm.load::<Lead>(&id(2)).await.unwrap().unwrap();
        let mut next = helped.entity.clone();
        next.facts.waiting = None;
        next.facts.client_id = Some(client(1).id);
        tables.crm.save(Some(&helped), decision(next, "lead.assigned"), &frame("cor-1")).await.unwrap();
        assert_eq!(list(10).await, [id(4), id(1)]);
    })
    .await;
}
